/** Goal: every byte of a stream once and in order, whatever happens to the reads. Method: a fake host with files that grow and break, a real spool. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { createPump } from '../../../src/engine/stream-pump.ts';
import { seatOf, temporarySpool } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';
import { until } from '../../support/until.ts';

const DIR = '/root/tasks/d/task.1';
const token = 'task.1' as AttemptToken;

async function house() {
  const host = new FakeHost();
  const spool = await temporarySpool();
  const seat = await seatOf(host);
  const pump = (after: Promise<void> = Promise.resolve()) =>
    createPump({ seat, spool, request: { token, dir: DIR }, after });
  const print = (text: string): void => void host.files.set(`${DIR}/stdout`, Buffer.from(text));
  const read = async (): Promise<string> => {
    const chunks: Buffer[] = [];
    const stream = spool.attempt(token).follow('stdout', { offset: 0, follow: false });
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  return { host, spool, pump, print, read };
}

test('what is wanted is fetched from where the spool ends, and only that', async () => {
  const { host, spool, pump, print, read } = await house();
  await spool.attempt(token).append('stdout', 0, Buffer.from('had '));
  print('had more');
  const one = pump();
  expect(await one.want({ stdout: 8, stderr: 0 })).toBe(true);
  await one.drained();
  expect(await read()).toBe('had more');
  expect(host.count(/^read/)).toBe(1);
  expect(await one.want({ stdout: 8, stderr: 0 })).toBe(false);
  expect(host.count(/^read/)).toBe(1);
});

test('bytes beyond what was seen are left for the next look', async () => {
  const { pump, print, read } = await house();
  print('12345 and more');
  const one = pump();
  await one.want({ stdout: 5, stderr: 0 });
  await one.drained();
  expect(await read()).toBe('12345');
});

test('a stream that shrank keeps what is here and asks for nothing', async () => {
  const { host, pump, print, read } = await house();
  const one = pump();
  print('a long line');
  await one.want({ stdout: 11, stderr: 0 });
  await one.drained();
  print('x');
  expect(await one.want({ stdout: 1, stderr: 0 })).toBe(false);
  expect(await read()).toBe('a long line');
  expect(host.count(/^read/)).toBe(1);
});

test('a stream that shrinks while it is fetched is fetched as far as it was seen', async () => {
  const { host, pump, print, read } = await house();
  print('0123456789');
  const original = host.readRange.bind(host);
  const gate = Promise.withResolvers<void>();
  let reading = false;
  host.readRange = async (...range) => {
    reading = true;
    await gate.promise;
    return original(...range);
  };
  const one = pump();
  await one.want({ stdout: 4, stderr: 0 });
  await until(() => reading);
  await one.want({ stdout: 10, stderr: 0 });
  await one.want({ stdout: 1, stderr: 0 });
  gate.resolve();
  await one.drained();
  expect(await read()).toBe('0123456789');
});

test('a stream that is shorter than it was said to be ends the waiting, not in an endless read', async () => {
  const { pump, print, read } = await house();
  print('abc');
  const one = pump();
  await one.want({ stdout: 10, stderr: 0 });
  await one.drained();
  expect(await read()).toBe('abc');
});

test('a long stream comes whole through rooms that are used again, whichever reads fail', async () => {
  const { host, pump, print, read } = await house();
  const text = randomBytes(11 << 20).toString('hex');
  print(text);
  const original = host.readRange.bind(host);
  const rooms = new Set<ArrayBufferLike>();
  let reads = 0;
  host.readRange = async (path, offset, room) => {
    reads += 1;
    if (typeof room !== 'number') rooms.add(room.buffer);
    if (reads === 4) {
      // an answer that comes late, into a room that is nobody's any more
      setImmediate(() => (room as Buffer).fill(0));
      throw new AppError('SFTP_FAILED', 'broken');
    }
    return original(path, offset, room);
  };
  const one = pump();
  await one.want({ stdout: text.length, stderr: 0 });
  await one.drained().catch(() => {});
  await one.drained();
  expect((await read()) === text).toBe(true);
  expect(rooms.size).toBe(4);
});

test('a failed read is told until one works, and leaves no hole', async () => {
  const { host, pump, print, read } = await house();
  print('whole');
  host.fault = new AppError('SFTP_FAILED', 'broken');
  const one = pump();
  await one.want({ stdout: 5, stderr: 0 });
  await until(() => one.trouble() !== undefined);
  expect(one.trouble()).toMatchObject({ code: 'SFTP_FAILED' });
  await expect(one.drained()).rejects.toMatchObject({ code: 'SFTP_FAILED' });
  expect(one.trouble()).toMatchObject({ code: 'SFTP_FAILED' });
  expect(await one.want({ stdout: 5, stderr: 0 })).toBe(false);
  host.fault = undefined;
  await one.drained().catch(() => {});
  await one.drained();
  expect(one.trouble()).toBeUndefined();
  expect(await read()).toBe('whole');
});

test('a failing stream does not leave the other half under way', async () => {
  const { host, pump, spool } = await house();
  host.files.set(`${DIR}/stderr`, Buffer.from('errors'));
  const read = host.readRange.bind(host);
  const gate = Promise.withResolvers<void>();
  host.readRange = async (path, offset, length) => {
    if (path.endsWith('stdout')) throw new AppError('SFTP_DENIED', 'no');
    await gate.promise;
    return read(path, offset, length);
  };
  const one = pump();
  await one.want({ stdout: 1, stderr: 6 });
  await one.want({ stdout: 1, stderr: 6 });
  gate.resolve();
  await until(() => one.trouble() !== undefined);
  expect(await spool.attempt(token).length('stderr')).toBe(6);
  expect(one.trouble()).toMatchObject({ code: 'SFTP_DENIED' });
});

test('the next pump of an attempt goes on where the one before it has written to', async () => {
  const { host, pump, print, read } = await house();
  print('twice?');
  const original = host.readRange.bind(host);
  const gate = Promise.withResolvers<void>();
  host.readRange = async (...range) => {
    await gate.promise;
    return original(...range);
  };
  const first = pump();
  await first.want({ stdout: 6, stderr: 0 });
  const over = first.stop();
  const second = pump(over);
  await second.want({ stdout: 6, stderr: 0 });
  gate.resolve();
  await second.drained();
  expect(second.trouble()).toBeUndefined();
  expect(await read()).toBe('twice?');
  expect(host.count(/^read/)).toBe(1);
});

test('looks without news do not ask the spool, but now and then: what a failed sync has cut off is fetched again', async () => {
  const { spool, pump, print, read } = await house();
  let asked = 0;
  let lost = false;
  const { attempt } = spool;
  spool.attempt = (of) => {
    const files = attempt(of);
    return {
      ...files,
      length: async (stream) => {
        asked += 1;
        return lost ? 0 : files.length(stream);
      },
    };
  };
  print('all of it');
  const one = pump();
  const sizes = { stdout: 9, stderr: 0 };
  await one.want(sizes);
  await one.drained();
  expect(await read()).toBe('all of it');
  asked = 0;
  for (let look = 0; look < 16; look += 1) expect(await one.want(sizes)).toBe(false);
  expect(asked).toBe(0);
  lost = true;
  await one.want(sizes);
  expect(asked).toBeGreaterThan(0);
  await one.stop();
});
