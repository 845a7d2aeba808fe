/** Goal: the length of a file is the offset to read from next, over errors, restarts and reboots. */
import { appendFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { StreamFile } from '../../../src/spool/stream-file.ts';
import { CHECKPOINT_MS, collect, harness, T } from './harness.ts';

const bytes = (text: string) => Buffer.from(text);
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('appending', () => {
  it('puts the bytes at the end and leaves the other stream alone', async () => {
    const { dir, open } = await harness();
    const attempt = open().attempt(T);
    expect(await attempt.length('stdout')).toBe(0);
    await attempt.append('stdout', 0, bytes('ab\0'));
    await attempt.append('stderr', 0, bytes('x'));
    await attempt.append('stdout', 3, bytes('c'));
    expect([await attempt.length('stdout'), await attempt.length('stderr')]).toEqual([4, 1]);
    expect(await readFile(join(dir, 'spool', T, 'stdout'))).toEqual(bytes('ab\0c'));
    expect(await readFile(join(dir, 'spool', T, 'stderr'))).toEqual(bytes('x'));
  });

  it('anywhere but at the end is a bug and changes nothing', async () => {
    const attempt = (await harness()).open().attempt(T);
    await attempt.append('stdout', 0, bytes('abc'));
    for (const offset of [0, 2, 4]) {
      await expect(attempt.append('stdout', offset, bytes('x'))).rejects.toThrow(
        /3 bytes; nothing/,
      );
    }
    expect(await collect(attempt.follow('stdout', { offset: 0, follow: false }))).toEqual(
      bytes('abc'),
    );
  });

  it('calls that do not wait for each other are carried out in order', async () => {
    const attempt = (await harness()).open().attempt(T);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => attempt.append('stdout', i * 3, bytes(`${100 + i}`))),
    );
    expect(await attempt.length('stdout')).toBe(300);
  });

  it('makes nothing on disk before there is something to keep, and all of it private', async () => {
    const { dir, open } = await harness();
    const spool = open();
    await spool.attempt(T).length('stdout');
    await spool.attempt(T).append('stdout', 0, bytes(''));
    expect(await readdir(dir)).toEqual([]);
    await spool.attempt(T).append('stdout', 0, bytes('a'));
    expect(await mode(join(dir, 'spool'))).toBe('700');
    expect(await mode(join(dir, 'spool', T))).toBe('700');
    for (const file of ['stdout', 'checkpoint.json']) {
      expect(await mode(join(dir, 'spool', T, file))).toBe('600');
    }
  });

  it('a token that is no name of an attempt is a bug', async () => {
    const spool = (await harness()).open();
    for (const token of ['..', '../x.1', 'a/b.1', 'x', '']) {
      await expect(spool.bytes(token as AttemptToken)).rejects.toThrow(/not an attempt/);
    }
  });
});

describe('checkpoints', () => {
  it('come after so many bytes, after some time, and when the spool is closed', async () => {
    const { dir, open, timer } = await harness();
    const saved = async () =>
      JSON.parse(await readFile(join(dir, 'spool', T, 'checkpoint.json'), 'utf8')).stdout;
    const spool = open({ checkpointBytes: 10 });
    const attempt = spool.attempt(T);
    await attempt.append('stdout', 0, bytes('123456789'));
    expect(await saved()).toBe(0);
    await attempt.append('stdout', 9, bytes('0'));
    expect(await saved()).toBe(10);
    await attempt.append('stdout', 10, bytes('a'));
    timer.fire(CHECKPOINT_MS);
    // Takes its turn behind the checkpoint.
    await attempt.append('stdout', 11, bytes('b'));
    expect(await saved()).toBe(11);
    await spool.close();
    expect(await saved()).toBe(12);
  });

  it('the same boot keeps all bytes after a crash, another boot those of the checkpoint', async () => {
    const { open } = await harness();
    const attempt = open({ checkpointBytes: 4 }).attempt(T);
    await attempt.append('stdout', 0, bytes('1234'));
    await attempt.append('stdout', 4, bytes('56'));
    await attempt.append('stderr', 0, bytes('x'));
    // The process "dies": nothing is closed. A new one looks at the same files.
    expect(await open().bytes(T)).toEqual({ stdout: 6, stderr: 1 });
    const rebooted = open({ bootId: 'boot-2' });
    expect(await rebooted.bytes(T)).toEqual({ stdout: 4, stderr: 0 });
    await rebooted.attempt(T).append('stdout', 4, bytes('abc'));
    // Killed and started again in the new boot: what came in it stands.
    expect(await open({ bootId: 'boot-2' }).bytes(T)).toEqual({ stdout: 7, stderr: 0 });
  });

  it('without any checkpoint another boot starts from nothing', async () => {
    const { dir, open } = await harness();
    await open().attempt(T).append('stdout', 0, bytes('1234'));
    await writeFile(join(dir, 'spool', T, 'checkpoint.json'), '\0\0\0');
    const attempt = open({ bootId: 'boot-2' }).attempt(T);
    expect(await attempt.length('stdout')).toBe(0);
    await attempt.append('stdout', 0, bytes('ab'));
    expect(await readFile(join(dir, 'spool', T, 'stdout'), 'utf8')).toBe('ab');
  });

  it.each(['{', '{"format":2}', '{"format":1,"bootId":"b","stdout":-1,"stderr":0,"end":"open"}'])(
    'one that reads %j is an error that names the file, and deletes nothing',
    async (text) => {
      const { dir, open } = await harness();
      const path = join(dir, 'spool', T, 'checkpoint.json');
      await open().attempt(T).append('stdout', 0, bytes('1234'));
      await writeFile(path, text);
      const refusal = { code: 'STORE_CORRUPT', message: expect.stringContaining(path) };
      await expect(open({ bootId: 'boot-2' }).bytes(T)).rejects.toMatchObject(refusal);
      expect(await readFile(join(dir, 'spool', T, 'stdout'), 'utf8')).toBe('1234');
    },
  );

  it('when the disk refuses to sync, what it may have lost is cut off and told', async () => {
    const attempt = (await harness()).open({ checkpointBytes: 4 }).attempt(T);
    await attempt.append('stdout', 0, bytes('1234'));
    const failing = vi
      .spyOn(StreamFile.prototype, 'sync')
      .mockRejectedValueOnce(new AppError('STORE_FULL', 'no space'));
    await attempt.append('stdout', 4, bytes('56'));
    await expect(attempt.append('stdout', 6, bytes('78'))).rejects.toThrow('no space');
    failing.mockRestore();
    expect(await attempt.length('stdout')).toBe(4);
    await attempt.append('stdout', 4, bytes('5678'));
  });

  it('a sync that fails in the background is told to the next append', async () => {
    const { open, timer } = await harness();
    const attempt = open().attempt(T);
    await attempt.append('stdout', 0, bytes('12'));
    const failing = vi
      .spyOn(StreamFile.prototype, 'sync')
      .mockRejectedValueOnce(new AppError('STORE_FULL', 'no space'));
    timer.fire(CHECKPOINT_MS);
    await expect(attempt.append('stdout', 2, bytes('3'))).rejects.toThrow('no space');
    failing.mockRestore();
    expect(await attempt.length('stdout')).toBe(0);
    await attempt.append('stdout', 0, bytes('123'));
  });
});

describe('the end of an attempt', () => {
  it('sealed streams are complete, also after a reboot, and take no more', async () => {
    const { open } = await harness();
    const attempt = open().attempt(T);
    await attempt.append('stdout', 0, bytes('abc'));
    expect(await attempt.isComplete()).toBe(false);
    await attempt.seal({ stdout: 3, stderr: 0 });
    await attempt.seal({ stdout: 3, stderr: 0 });
    await expect(attempt.append('stdout', 3, bytes('d'))).rejects.toThrow(/has ended/);
    const rebooted = open({ bootId: 'boot-2' });
    expect(await rebooted.attempt(T).isComplete()).toBe(true);
    expect(await rebooted.bytes(T)).toEqual({ stdout: 3, stderr: 0 });
  });

  it('to seal with other counts than there are is a bug', async () => {
    const attempt = (await harness()).open().attempt(T);
    await attempt.append('stdout', 0, bytes('abc'));
    await expect(attempt.seal({ stdout: 4, stderr: 0 })).rejects.toThrow(T);
    expect(await attempt.isComplete()).toBe(false);
  });

  it('an attempt without streams can end; it is not complete, but may become so', async () => {
    const { open } = await harness();
    await open().end(T);
    const spool = open({ bootId: 'boot-2' });
    expect(await collect(spool.attempt(T).follow('stdout', { offset: 0, follow: true }))).toEqual(
      bytes(''),
    );
    expect(await spool.attempt(T).isComplete()).toBe(false);
    await spool.attempt(T).seal({ stdout: 0, stderr: 0 });
    await spool.end(T);
    expect(await open().attempt(T).isComplete()).toBe(true);
  });

  it.each(['shorter', 'longer'])('a sealed file that has become %s is an error', async (how) => {
    const { dir, open } = await harness();
    const spool = open();
    await spool.attempt(T).append('stdout', 0, bytes('abc'));
    await spool.attempt(T).seal({ stdout: 3, stderr: 0 });
    const path = join(dir, 'spool', T, 'stdout');
    await (how === 'shorter' ? truncate(path, 2) : appendFile(path, 'x'));
    // Seen by the same spool: it remembers nothing of what has ended.
    await expect(spool.bytes(T)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(path),
    });
  });

  it('removed streams are gone, as often as it is asked, and the token starts anew', async () => {
    const { dir, open } = await harness();
    const spool = open();
    await spool.attempt(T).append('stdout', 0, bytes('abc'));
    await spool.remove(T);
    await spool.remove(T);
    expect(await readdir(join(dir, 'spool'))).toEqual([]);
    expect(await spool.bytes(T)).toEqual({ stdout: 0, stderr: 0 });
    await spool.attempt(T).append('stdout', 0, bytes('x'));
    expect(await spool.bytes(T)).toEqual({ stdout: 1, stderr: 0 });
  });

  it('a closed spool refuses everything with one clear error', async () => {
    const spool = (await harness()).open();
    await spool.close();
    await expect(spool.bytes(T)).rejects.toMatchObject({ code: 'DAEMON_STOPPING' });
    await expect(spool.attempt(T).append('stdout', 0, bytes('a'))).rejects.toMatchObject({
      code: 'DAEMON_STOPPING',
    });
  });
});
