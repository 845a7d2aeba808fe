/**
 * Goal: a full disk leaves no gap and no half file, and work goes on when there is space again.
 * Method: a small file system of its own, as root; without root these tests are skipped by name.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeAll, writeDurably } from '../../../src/spool/write-durably.ts';
import { openStore } from '../../../src/store/open.ts';
import { fromSqlite } from '../../../src/store/sqlite-errors.ts';
import { aChange, aSpec, aTask } from '../../contract/store-tasks.ts';
import { collect, harness, T } from './harness.ts';

const canMount = process.getuid?.() === 0;
if (!canMount && process.env['CI'] === 'true') throw new Error('CI runs these tests as root');

async function smallDisk(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'towline-disk-'));
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'towline-test', dir]);
  onTestFinished(async () => {
    execFileSync('/bin/umount', [dir]);
    await rm(dir, { recursive: true });
  });
  return dir;
}

async function fillUp(dir: string, leave: number): Promise<() => Promise<void>> {
  const { bavail, bsize } = await statfs(dir);
  await writeFile(join(dir, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  return () => rm(join(dir, 'filler'));
}

describe.skipIf(!canMount)('a full disk (root only)', () => {
  it('refuses an append as a whole, keeps what was there, and takes it when there is space', async () => {
    const dir = await smallDisk();
    const attempt = (await harness(dir)).open().attempt(T);
    const first = Buffer.alloc(100_000, 'a');
    const second = Buffer.alloc(300_000, 'b');
    await attempt.append('stdout', 0, first);
    const free = await fillUp(dir, 100_000);
    await expect(attempt.append('stdout', first.length, second)).rejects.toMatchObject({
      code: 'STORE_FULL',
      message: expect.stringContaining('stdout'),
    });
    expect(await attempt.length('stdout')).toBe(first.length);
    expect(await readFile(join(dir, 'spool', T, 'stdout'))).toEqual(first);
    await free();
    await attempt.append('stdout', first.length, second);
    await attempt.seal({ stdout: 400_000, stderr: 0 });
    const all = await collect(attempt.follow('stdout', { offset: 0, follow: true }));
    expect(all.equals(Buffer.concat([first, second]))).toBe(true);
  });

  it('keeps the bytes and waits with the checkpoint; a seal is refused until there is space', async () => {
    const dir = await smallDisk();
    const { open, timer } = await harness(dir);
    const attempt = open({ checkpointBytes: 10 }).attempt(T);
    await attempt.append('stdout', 0, Buffer.from('12345'));
    const free = await fillUp(dir, 0);
    // Fits into the page that the file has already.
    await attempt.append('stdout', 5, Buffer.from('67890'));
    expect(await attempt.length('stdout')).toBe(10);
    await expect(attempt.seal({ stdout: 10, stderr: 0 })).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
    expect(await attempt.isComplete()).toBe(false);
    timer.fire(5_000);
    expect(await attempt.length('stdout')).toBe(10);
    await free();
    await attempt.seal({ stdout: 10, stderr: 0 });
    expect(await open({ bootId: 'boot-2' }).bytes(T)).toEqual({ stdout: 10, stderr: 0 });
  });

  it('a file is replaced as a whole or not at all, and no temporary one is left', async () => {
    const dir = await smallDisk();
    const path = join(dir, 'file');
    await writeDurably(path, Buffer.from('old'));
    await fillUp(dir, 8_192);
    await expect(writeDurably(path, Buffer.alloc(100_000))).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(await readFile(path, 'utf8')).toBe('old');
    expect((await readdir(dir)).toSorted()).toEqual(['file', 'filler']);
  });

  it('the store says STORE_FULL, loses nothing, and goes on when there is space', async () => {
    const dir = await smallDisk();
    const { store } = await openStore({ stateDir: dir });
    onTestFinished(() => store.close());
    const first = aTask();
    await store.insert([aChange(first)]);
    const free = await fillUp(dir, 20_000);
    const big = aTask({ spec: aSpec({ env: { BIG: 'x'.repeat(100_000) } }) });
    await expect(store.insert([aChange(big)])).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await store.getTask(big.id)).toBeUndefined();
    expect(await store.getTask(first.id)).toEqual(first);
    await free();
    await store.insert([aChange(big)]);
    expect(await store.getTask(big.id)).toEqual(big);
  });

  it('what SQLite calls an I/O error is told as a full disk, where it is that', async () => {
    const dir = await smallDisk();
    const error = (errcode: number) => Object.assign(new Error('disk I/O error'), { errcode });
    const free = await fillUp(dir, 0);
    for (const errcode of [10, 778, 14]) {
      expect(fromSqlite(error(errcode), dir)).toMatchObject({ code: 'STORE_FULL' });
    }
    await free();
    for (const errcode of [10, 778, 14]) {
      expect(fromSqlite(error(errcode), dir)).toMatchObject({ code: 'STORE_IO' });
    }
    expect(await readdir(dir)).toEqual([]);
  });

  it('a store that cannot be made says STORE_FULL too', async () => {
    const dir = await smallDisk();
    await fillUp(dir, 0);
    await expect(openStore({ stateDir: dir })).rejects.toMatchObject({ code: 'STORE_FULL' });
  });
});

describe('a write that takes fewer bytes than it was given', () => {
  it('is followed by others until all are written', async () => {
    const written: [string, number][] = [];
    const write = async (...args: [Uint8Array, number, number, number]) => {
      const [bytes, from, length, position] = args;
      const taken = Math.min(length, 3);
      written.push([Buffer.from(bytes.subarray(from, from + taken)).toString(), position]);
      return { bytesWritten: taken, buffer: bytes };
    };
    await writeAll({ write } as never, Buffer.from('abcdefgh'), 10);
    expect(written).toEqual([
      ['abc', 10],
      ['def', 13],
      ['gh', 16],
    ]);
  });

  it('of none at all is a full disk, not an endless loop', async () => {
    const write = async (bytes: Uint8Array) => ({ bytesWritten: 0, buffer: bytes });
    await expect(writeAll({ write } as never, Buffer.from('a'), 0)).rejects.toMatchObject({
      code: 'ENOSPC',
    });
  });
});
