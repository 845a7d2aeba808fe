/**
 * Goal: a large file is an object when the server says so, not before, and parts of one that is none are dropped. Method:
 * a fake server that takes parts and answers as it is told to: a real one can fail after it has begun to answer with 200.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { partBytes } from '../../../src/engine/storage/s3-put.ts';
import { s3Storage } from '../../../src/engine/storage/s3-storage.ts';
import { until } from '../../support/until.ts';

const MIB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'towline-s3-put-'));
const path = join(directory, 'file');
let server: Server;
let endpoint: string;
/** How often the parts are not put together, and which part is denied. */
let failing = 0;
let denied = 0;
let seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    const part = searchParams.get('partNumber');
    request.resume().on('end', () => {
      if (searchParams.has('uploads')) {
        response.end(
          '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
        );
      } else if (part !== null) {
        seen.push(`part ${part}`);
        response.writeHead(Number(part) === denied ? 403 : 200, { etag: `"e${part}"` }).end();
      } else if (request.method === 'DELETE') {
        seen.push('dropped');
        response.writeHead(204).end();
      } else {
        failing -= 1;
        seen.push(failing < 0 ? 'whole' : 'failed');
        const whole =
          '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>';
        response.end(failing < 0 ? whole : '<Error><Code>InternalError</Code></Error>');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(path, Buffer.alloc(17 * MIB));
});
beforeEach(() => {
  [failing, denied, seen] = [0, 0, []];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

const put = async (signal = new AbortController().signal): Promise<void> => {
  const settings = { endpoint, region: 'us-east-1', keys: async () => undefined };
  await s3Storage(settings).put?.('s3://data/x', path, { signal });
};

test('an answer of 200 that says that it failed is asked for again; if that stays, the parts are dropped', async () => {
  failing = 1;
  await put();
  expect(seen.toSorted()).toEqual(['failed', 'part 1', 'part 2', 'part 3', 'whole']);
  [failing, seen] = [99, []];
  await expect(put()).rejects.toMatchObject({ code: 'STORAGE_PUT_FAILED' });
  expect(seen.at(-1)).toBe('dropped');
});

test('a part that is denied is sent once, and the others are dropped', async () => {
  denied = 2;
  await expect(put()).rejects.toThrow(/the server answered 403/);
  expect(seen.filter((one) => one === 'part 2')).toHaveLength(1);
  expect(seen.at(-1)).toBe('dropped');
});

test('who gives up in the middle leaves no parts there', async () => {
  failing = 99;
  const controller = new AbortController();
  const putting = put(controller.signal);
  putting.catch(() => {});
  await until(() => seen.includes('failed'));
  controller.abort(new Error('given up'));
  await expect(putting).rejects.toThrow('given up');
  expect(seen.at(-1)).toBe('dropped');
});

test('a file has at most 10,000 parts, however large it is', () => {
  expect(partBytes(20 * MIB)).toBe(8 * MIB);
  for (const size of [80 * 1024 * MIB, 80 * 1024 * MIB + 1, 5 * 1024 ** 2 * MIB]) {
    expect(Math.ceil(size / partBytes(size))).toBeLessThanOrEqual(10_000);
  }
});
