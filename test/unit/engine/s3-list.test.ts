/**
 * Goal: whatever a server lists, nothing is written outside the directory, and all pages count. Method: a fake server
 * that lists what it is told to, written as Amazon and MinIO write it.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { s3Storage } from '../../../src/engine/storage/s3-storage.ts';

const root = mkdtempSync(join(tmpdir(), 'towline-s3-list-'));
const directory = join(root, 'in');
const { signal } = new AbortController();
let server: Server;
let endpoint: string;
/** As they stand between <Key> and </Key>. */
let pages: string[][] = [];
let encoding = '';
let bytes = 1;
let fetched: string[] = [];

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (searchParams.has('list-type')) {
      const page = Number(searchParams.get('continuation-token') ?? 0);
      response.end(listOf(page));
    } else if (pathname.endsWith('/gone')) response.writeHead(404).end();
    else {
      fetched.push(decodeURIComponent(pathname));
      response.end('x');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  [encoding, bytes, fetched] = ['', 1, []];
  rmSync(directory, { recursive: true, force: true });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});

function listOf(page: number): string {
  const contents = (pages[page] ?? []).map(
    (key) => `<Contents><Key>${key}</Key><Size>${bytes}</Size></Contents>`,
  );
  const more = page + 1 < pages.length;
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
    ${encoding}${contents.join('')}<IsTruncated>${more}</IsTruncated>
    ${more ? `<NextContinuationToken>${page + 1}</NextContinuationToken>` : ''}</ListBucketResult>`;
}

const get = async (): Promise<void> => {
  const settings = { endpoint, region: 'us-east-1', keys: async () => undefined };
  await s3Storage(settings).fetchDirectory?.('s3://data/in', directory, { signal });
};

test('all pages are one directory; what is not signed is asked for as well', async () => {
  pages = [['in/a', 'in/d/b'], ['in/d/c'], ['in/e']];
  await get();
  expect(readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
    'a',
    'd',
    'd/b',
    'd/c',
    'e',
  ]);
  expect(readFileSync(join(directory, 'd/c'), 'utf8')).toBe('x');
});

test('keys that are written encoded are read so, and only those', async () => {
  encoding = '<EncodingType>url</EncodingType>';
  pages = [['in/it%27s+1%2B1', 'in/%C3%BC%26']];
  await get();
  expect(fetched.sort()).toEqual(["/data/in/it's 1+1", '/data/in/ü&']);
  rmSync(directory, { recursive: true });
  encoding = '';
  pages = [['in/a+b', 'in/100%25 &amp; more']];
  fetched = [];
  await get();
  expect(fetched.sort()).toEqual(['/data/in/100%25 & more', '/data/in/a+b']);
});

test.each([
  ['in/../x', /\. or \.\. as a part/],
  ['in/a/./b', /\. or \.\. as a part/],
  ['in//etc/x', /empty part/],
  ['in/a//b', /empty part/],
  ['in/a/', /empty part/],
  ['in/a%0Ab', /control characters/],
  ['out/a', /was not asked for/],
  ['../in/a', /was not asked for/],
])('the key %j is refused and nothing is fetched', async (key, why) => {
  encoding = '<EncodingType>url</EncodingType>';
  pages = [['in/good', key]];
  await expect(get()).rejects.toMatchObject({ code: 'STORAGE_FETCH_FAILED' });
  await expect(get()).rejects.toThrow(why);
  expect([fetched, existsSync(directory), readdirSync(root)]).toEqual([[], false, []]);
});

test('when one of many cannot be had, nothing of the others stays', async () => {
  pages = [['in/a', 'in/d/b', 'in/d/gone']];
  await expect(get()).rejects.toThrow('there is no such object');
  expect([fetched.length, existsSync(directory)]).toEqual([2, false]);
});

test('what is a file and a directory is refused', async () => {
  pages = [['in/a/b', 'in/a']];
  await expect(get()).rejects.toThrow('the key "in/a" is a file and a directory, too');
  expect(existsSync(directory)).toBe(false);
});

test('more than a task may have, or than there is room for, is refused before anything is fetched', async () => {
  pages = Array.from({ length: 21 }, (_, page) =>
    Array.from({ length: 1000 }, (_one, index) => `in/${page}-${index}`),
  );
  await expect(get()).rejects.toMatchObject({ code: 'STAGE_LIMIT' });
  pages = [['in/huge']];
  bytes = 2 ** 60;
  await expect(get()).rejects.toThrow(/are free in/);
  expect([fetched, existsSync(directory)]).toEqual([[], false]);
});
