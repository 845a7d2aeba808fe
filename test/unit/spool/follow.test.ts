/** Goal: every follower gets exactly the bytes, once and in order, whenever it comes and however slow it is. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import type { AttemptSpool } from '../../../src/spool/spool.ts';
import { StreamFile } from '../../../src/spool/stream-file.ts';
import { collect, harness, T } from './harness.ts';

const bytes = (text: string) => Buffer.from(text);
const fromStart = { offset: 0, follow: true };

/** True when the promise is still open after far more turns of the disk than any of these steps takes. */
async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 50; turn++) await stat('/');
  return !settled;
}

async function writeAll(attempt: AttemptSpool, data: Buffer, step: () => number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const piece = data.subarray(at, at + step());
    await attempt.append('stdout', at, piece);
    at += piece.length;
  }
  await attempt.seal({ stdout: data.length, stderr: 0 });
}

describe('followers', () => {
  it('early, late and slow ones all get the same bytes', async () => {
    const attempt = (await harness()).open({ checkpointBytes: 100_000 }).attempt(T);
    const data = randomBytes(1_000_000);
    const early = collect(attempt.follow('stdout', fromStart));
    const offset = collect(attempt.follow('stdout', { offset: 12_345, follow: true }));
    const slow = attempt.follow('stdout', fromStart);
    const first = await Promise.all([slow.next(), writeAll(attempt, data, () => 7_919)]);
    const late = collect(attempt.follow('stdout', fromStart));
    expect((await early).equals(data)).toBe(true);
    expect((await offset).equals(data.subarray(12_345))).toBe(true);
    expect((await late).equals(data)).toBe(true);
    const rest = await collect(slow);
    expect(Buffer.concat([first[0].value as Buffer, rest]).equals(data)).toBe(true);
  });

  it('a chunk is at most 256 KiB, and a slow follower has nothing read ahead for it', async () => {
    const attempt = (await harness()).open().attempt(T);
    const data = randomBytes(1_000_000);
    await attempt.append('stdout', 0, data);
    const reads = vi.spyOn(StreamFile.prototype, 'read');
    const slow = attempt.follow('stdout', fromStart);
    expect((await slow.next()).value).toHaveLength(256 * 1024);
    await attempt.append('stdout', data.length, bytes('more'));
    expect(await isWaiting(new Promise(() => {}))).toBe(true);
    expect(reads).toHaveBeenCalledTimes(1);
    reads.mockRestore();
    await slow.return?.();
  });

  it('one that comes before the task has started waits for its first byte', async () => {
    const attempt = (await harness()).open().attempt(T);
    const follower = attempt.follow('stdout', fromStart);
    const first = follower.next();
    expect(await isWaiting(first)).toBe(true);
    await attempt.append('stderr', 0, bytes('other'));
    expect(await isWaiting(first)).toBe(true);
    await attempt.append('stdout', 0, bytes('a'));
    expect(await first).toEqual({ done: false, value: bytes('a') });
    const second = follower.next();
    expect(await isWaiting(second)).toBe(true);
    await attempt.seal({ stdout: 1, stderr: 5 });
    expect(await second).toEqual({ done: true, value: undefined });
  });

  it('without following, what is there now is given', async () => {
    const attempt = (await harness()).open().attempt(T);
    const now = { offset: 0, follow: false };
    expect(await collect(attempt.follow('stdout', now))).toEqual(bytes(''));
    await attempt.append('stdout', 0, bytes('abc'));
    expect(await collect(attempt.follow('stdout', now))).toEqual(bytes('abc'));
    expect(await collect(attempt.follow('stdout', { ...now, offset: 2 }))).toEqual(bytes('c'));
    expect(await collect(attempt.follow('stdout', { ...now, offset: 9 }))).toEqual(bytes(''));
  });

  it('ends when the attempt ends, whole or not', async () => {
    const spool = (await harness()).open();
    const follower = collect(spool.attempt(T).follow('stdout', fromStart));
    await spool.attempt(T).append('stdout', 0, bytes('half'));
    await spool.end(T);
    expect(await follower).toEqual(bytes('half'));
  });

  it('goes on at the same byte after the disk lost what was not synced', async () => {
    const { open } = await harness();
    const attempt = open().attempt(T);
    await attempt.append('stdout', 0, bytes('abcdef'));
    const failing = vi.spyOn(StreamFile.prototype, 'sync').mockRejectedValueOnce(new Error('EIO'));
    const follower = attempt.follow('stdout', fromStart);
    expect((await follower.next()).value).toEqual(bytes('abcdef'));
    await expect(attempt.seal({ stdout: 6, stderr: 0 })).rejects.toThrow('EIO');
    failing.mockRestore();
    expect(await attempt.length('stdout')).toBe(0);
    const next = follower.next();
    await attempt.append('stdout', 0, bytes('abc'));
    expect(await isWaiting(next)).toBe(true);
    await attempt.append('stdout', 3, bytes('defghi'));
    expect((await next).value).toEqual(bytes('ghi'));
    await follower.return?.();
  });
});

describe('a follower that waits', () => {
  it('stops with the reason when its signal aborts, also before it began', async () => {
    const attempt = (await harness()).open().attempt(T);
    const stop = new AbortController();
    const next = attempt.follow('stdout', { ...fromStart, signal: stop.signal }).next();
    expect(await isWaiting(next)).toBe(true);
    stop.abort(new Error('gone away'));
    await expect(next).rejects.toThrow('gone away');
    const late = attempt.follow('stdout', { ...fromStart, signal: stop.signal });
    await expect(late.next()).rejects.toThrow('gone away');
  });

  it('leaves at once when it is told to return', async () => {
    const attempt = (await harness()).open().attempt(T);
    const follower = attempt.follow('stdout', fromStart);
    const next = follower.next();
    expect(await isWaiting(next)).toBe(true);
    await follower.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('is told when the spool is closed or the attempt removed: that is no end of the stream', async () => {
    const spool = (await harness()).open();
    const other = 'other.1' as typeof T;
    const removed = spool.attempt(T).follow('stdout', fromStart).next();
    const stopped = spool.attempt(other).follow('stdout', fromStart).next();
    expect(await isWaiting(Promise.race([removed, stopped]))).toBe(true);
    await spool.remove(T);
    await expect(removed).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await spool.close();
    await expect(stopped).rejects.toMatchObject({ code: 'DAEMON_STOPPING' });
  });
});
