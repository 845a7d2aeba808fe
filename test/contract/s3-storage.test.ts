/**
 * Goal: files go to S3 and come from there whole, and where they do not it is said why, without the secret. Method: a
 * real server of others' making; what it has is looked at on its own disk.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { S3Settings } from '../../src/engine/settings.ts';
import { openBucket } from '../../src/engine/storage/s3-client.ts';
import { s3Storage } from '../../src/engine/storage/s3-storage.ts';
import { fakeBusyProxy } from '../support/fake-busy-proxy.ts';
import { S3_KEYS, type S3Server, startS3Server } from '../support/s3-server.ts';

const { signal } = new AbortController();
const directory = mkdtempSync(join(tmpdir(), 'towline-s3-storage-'));
let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

let count = 0;
const fresh = (): string => join(directory, String((count += 1)));
const settingsOf = (more: Partial<S3Settings> = {}): S3Settings => ({
  ...{ endpoint: server.endpoint, region: 'us-east-1', keys: async () => S3_KEYS },
  ...more,
});
const at = (more: Partial<S3Settings> = {}) => {
  const { fetch, fetchDirectory, put } = s3Storage(settingsOf(more));
  const path = fresh();
  return {
    path,
    get: (key: string) => fetch(`s3://data/${key}`, path, { signal }),
    getAll: async (key: string) => fetchDirectory?.(`s3://data/${key}`, path, { signal }),
    put: async (key: string, bytes: string | Buffer) => {
      writeFileSync(path, bytes);
      await put?.(`s3://data/${key}`, path, { signal });
    },
  };
};
const failure = (act: Promise<unknown>): Promise<Error & { code: string }> =>
  act.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Error & { code: string },
  );

test.each(['plain', 'a blank/ü', "1+1=2 & 100%/it's #1?x=(y)*!", 'very/deep/a%20b/%2F'])(
  'a file is put as %j and comes back, and what is there before is written over',
  async (key) => {
    await at().put(key, 'before that');
    await at().put(key, `bytes of ${key}`);
    expect(server.object(key)?.toString()).toBe(`bytes of ${key}`);
    const { path, get } = at();
    await get(key);
    expect(readFileSync(path, 'utf8')).toBe(`bytes of ${key}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  },
);

test('an empty file is an empty object', async () => {
  await at().put('empty', '');
  expect(server.object('empty')).toHaveLength(0);
  const { path, get } = at();
  await get('empty');
  expect(statSync(path).size).toBe(0);
});

test('20 MiB go in parts and come back the same', async () => {
  const bytes = randomBytes(20 * 1024 * 1024 + 7);
  const sum = (data: Buffer | undefined) =>
    createHash('sha256')
      .update(data ?? '')
      .digest('hex');
  await at().put('large/one', bytes);
  expect(sum(server.object('large/one'))).toBe(sum(bytes));
  const { path, get } = at();
  await get('large/one');
  expect(sum(readFileSync(path))).toBe(sum(bytes));
});

test('an object that says it is compressed comes as it is stored', async () => {
  const bucket = await openBucket({ settings: settingsOf(), bucket: 'data', signal });
  const headers = { 'content-encoding': 'gzip' } as Record<`x-amz-${string}`, string>;
  await bucket.putObject('x.gz', 'no gzip at all', 'text/plain', undefined, headers);
  const { path, get } = at();
  await get('x.gz');
  expect(readFileSync(path, 'utf8')).toBe('no gzip at all');
});

test('a directory is all below it, with nothing of its neighbours', async () => {
  const bucket = await openBucket({ settings: settingsOf(), bucket: 'data', signal });
  const keys = Array.from({ length: 30 }, (_, index) => `tree/many/${index}`);
  for (const key of [...keys, 'tree/a & b/ü+1', 'tree/hollow/', 'tree/', 'tree2/x', 'tree.txt'])
    await bucket.putObject(key, key.endsWith('/') ? '' : key);
  const { path, getAll } = at();
  await getAll('tree/');
  expect(readdirSync(path).sort()).toEqual(['a & b', 'hollow', 'many']);
  expect(readFileSync(join(path, 'a & b/ü+1'), 'utf8')).toBe('tree/a & b/ü+1');
  expect(readdirSync(join(path, 'hollow'))).toEqual([]);
  expect(readdirSync(join(path, 'many'))).toHaveLength(30);
  expect(readFileSync(join(path, 'many/29'), 'utf8')).toBe('tree/many/29');
});

test('STORAGE_FETCH_FAILED for what is not there, and nothing is left', async () => {
  for (const act of ['get', 'getAll'] as const) {
    expect((await failure(at()[act]('nonesuch'))).code).toBe('STORAGE_FETCH_FAILED');
  }
  const { path, get } = at();
  expect((await failure(get('nonesuch'))).message).toBe(
    'input s3://data/nonesuch cannot be fetched: there is no such object or bucket',
  );
  expect(existsSync(path)).toBe(false);
  const { fetchDirectory } = s3Storage(settingsOf());
  const none = fetchDirectory?.('s3://no-bucket/x', fresh(), { signal });
  expect((await failure(none as Promise<void>)).message).toContain('there is no such bucket');
});

test('STORAGE_PUT_FAILED with the words of the server for keys that do not fit, and the secret is nowhere', async () => {
  const secretAccessKey = 'not-the-secret-of-anybody';
  const wrong = { keys: async () => ({ ...S3_KEYS, secretAccessKey }) };
  const put = await failure(at(wrong).put('denied', 'x'));
  expect(put.code).toBe('STORAGE_PUT_FAILED');
  expect(put.message).toMatch(/s3:\/\/data\/denied .*403 SignatureDoesNotMatch: The request sig/);
  const large = await failure(at(wrong).put('denied', Buffer.alloc(9 * 1024 * 1024)));
  expect(large.message).toContain('403 SignatureDoesNotMatch');
  const got = await failure(at(wrong).get('plain'));
  expect(got.message).toContain('403 SignatureDoesNotMatch');
  const deep = { depth: 20, showHidden: true, getters: true };
  for (const error of [put, large, got])
    expect(inspect(error, deep)).not.toContain(secretAccessKey);
  expect(server.object('denied')).toBeUndefined();
});

test('keys that cannot be read are told as such', async () => {
  const { code, message } = await failure(
    at({ keys: async () => ({ trouble: '/a/file is not there' }) }).get('plain'),
  );
  expect(code).toBe('STORAGE_FETCH_FAILED');
  expect(message).toContain('[s3] credentials: /a/file is not there');
});

test('a server that nobody reaches is told after a few tries', async () => {
  const away = { endpoint: 'http://127.0.0.1:2' };
  expect((await failure(at(away).get('plain'))).message).toContain('ECONNREFUSED 127.0.0.1:2');
  expect((await failure(at(away).put('plain', 'x'))).message).toContain('ECONNREFUSED');
});

test('a server that is busy twice is asked again', async () => {
  await at().put('busy/one', 'one');
  for (const act of ['get', 'getAll', 'put'] as const) {
    await using proxy = await fakeBusyProxy(server.endpoint, 2);
    const through = at({ endpoint: proxy.endpoint });
    await through[act](act === 'getAll' ? 'busy' : 'busy/one', 'put through');
    expect(proxy.count()).toBe(act === 'getAll' ? 4 : 3);
  }
  expect(server.object('busy/one')?.toString()).toBe('put through');
});
