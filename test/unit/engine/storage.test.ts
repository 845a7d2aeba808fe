/** Goal: inputs of a web server arrive whole, or it is said why not. Method: a real server on this machine. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { fetchInputs } from '../../../src/engine/steps/fetched-inputs.ts';
import { createStorages } from '../../../src/engine/storage/storages.ts';

const directory = mkdtempSync(join(tmpdir(), 'towline-storage-'));
let server: Server;
let base: string;
let asked = 0;

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    asked += 1;
    if (url === '/none') response.writeHead(404).end();
    else if (url === '/busy' && asked < 2) response.writeHead(503).end();
    else if (url === '/cut') {
      response.writeHead(200, { 'content-length': 10 }).write('half');
      response.destroy();
    } else response.end(`bytes of ${url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

const { signal } = new AbortController();
const storageFor = createStorages(() => ({}));
const token = 'k1.1' as AttemptToken;
const fetched = (url: string, isDirectory = false) => {
  asked = 0;
  const source = { kind: 'url', url, directory: isDirectory } as const;
  return fetchInputs([{ source, target: '/in/a' }], { storageFor, token, directory, signal });
};

test('a file is there while it is sent on and goes after that; a server that is busy is asked again', async () => {
  {
    await using files = await fetched(`${base}/busy`);
    const [{ source, target } = {}] = files.inputs;
    expect([source?.kind, target]).toEqual(['file', '/in/a']);
    const path = source !== undefined && 'path' in source ? source.path : '';
    expect(readFileSync(path, 'utf8')).toBe('bytes of /busy');
  }
  expect(readdirSync(directory)).toEqual([]);
});

test('STORAGE_FETCH_FAILED says what the server said, asks once for what is not there, and leaves nothing', async () => {
  const none = fetched(`${base}/none?signature=secret`.replace('/none?', '/none#'));
  await expect(none).rejects.toMatchObject({ code: 'STORAGE_FETCH_FAILED' });
  await expect(none).rejects.toThrow(/404/);
  await expect(none).rejects.not.toThrow(/secret/);
  expect(asked).toBe(1);
  await expect(fetched(`${base}/cut`)).rejects.toMatchObject({ code: 'STORAGE_FETCH_FAILED' });
  expect(readdirSync(directory)).toEqual([]);
});

test('an address that no storage is for is told with those there are', async () => {
  expect(() => storageFor('s3://bucket/x')).toThrow(/no storage for s3.*http, https/);
  await expect(fetched(`${base}/x`, true)).rejects.toMatchObject({ code: 'STORAGE_UNSUPPORTED' });
});
