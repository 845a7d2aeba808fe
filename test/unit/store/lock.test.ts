/** Goal: one daemon per state directory, also among processes, and none locked out by a dead one. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockStateDir } from '../../../src/store/lock-state-dir.ts';
import { openStore } from '../../../src/store/open.ts';
import { runChild, temporaryDir } from './temporary.ts';

describe('the lock of a state directory', () => {
  it('refuses a second process and names the first', async () => {
    const dir = await temporaryDir();
    const first = runChild(new URL('./child-hold-lock.ts', import.meta.url), [dir]);
    await first.hasPrinted(1);
    const pid = String(first.process.pid);
    await expect(lockStateDir(dir)).rejects.toMatchObject({
      code: 'DAEMON_ALREADY_RUNNING',
      message: expect.stringContaining(`pid ${pid}`),
      context: { pid, dir },
    });
    const second = runChild(new URL('./child-hold-lock.ts', import.meta.url), [dir]);
    expect(await second.ended).toBe(0);
    expect(second.lines).toEqual([`DAEMON_ALREADY_RUNNING ${pid}`]);
  });

  it('refuses a second holder in the same process, and opening the store does not lose it', async () => {
    const dir = await temporaryDir();
    await using _lock = await lockStateDir(dir);
    await (await openStore({ stateDir: dir })).store.close();
    await expect(lockStateDir(dir)).rejects.toMatchObject({
      context: { pid: String(process.pid) },
    });
    const other = runChild(new URL('./child-hold-lock.ts', import.meta.url), [dir]);
    await other.ended;
    expect(other.lines).toEqual([`DAEMON_ALREADY_RUNNING ${process.pid}`]);
  });

  it('is free at once when its holder is killed', async () => {
    const dir = await temporaryDir();
    const first = runChild(new URL('./child-hold-lock.ts', import.meta.url), [dir]);
    await first.hasPrinted(1);
    first.process.kill('SIGKILL');
    await first.ended;
    await using _lock = await lockStateDir(dir);
    expect(await readFile(join(dir, 'lock.pid'), 'utf8')).toBe(`${process.pid}\n`);
  });

  it('is free when released, and can be released twice', async () => {
    const dir = await temporaryDir();
    const lock = await lockStateDir(dir);
    await lock.release();
    await lock.release();
    const again = await lockStateDir(dir);
    await again.release();
    expect(await readdir(dir)).toEqual(['lock.sqlite']);
  });

  it('of twenty processes at once one gets it', async () => {
    const dir = await temporaryDir();
    const children = Array.from({ length: 20 }, () =>
      runChild(new URL('./child-hold-lock.ts', import.meta.url), [dir]),
    );
    await Promise.all(children.map((child) => child.hasPrinted(1)));
    const first = children.map(({ lines }) => lines[0]);
    expect(first.filter((line) => line === 'locked')).toHaveLength(1);
    expect(first.filter((line) => line?.startsWith('DAEMON_ALREADY_RUNNING'))).toHaveLength(19);
  });
});
