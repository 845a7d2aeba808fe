/**
 * Goal: a submit host that loses power loses no task, starts none twice, and loses or repeats no byte. Method: the
 * state directory is on a disk that forgets what was never synced (lossy-disk.ts). At a named point the
 * daemon is held and stopped, the power goes, and another daemon in another boot goes on with what the disk has.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { COUNTED, crashTask, heldAt } from '../support/crash-task.ts';
import { makeDaemon } from '../support/daemon.ts';
import { mountLossyDisk, stopWhole } from '../support/faults/lossy-disk.ts';
import { PATIENCE } from '../support/patience.ts';
import { shareOf } from '../support/share.ts';

const POINTS = [
  // Nobody was answered yet: the client asks again with its key.
  'commit.submitted.after:1',
  'commit.staged.after:1',
  // It runs on the host, and nothing here says so.
  'commit.launched.before:1',
  // Bytes that are only in memory here.
  'spool.append.after:3',
  'commit.exited.before:1',
  'commit.collected.after:1',
];

test.concurrent.each(shareOf(POINTS, 2))(
  'row 3: the submit host loses power at %s',
  { timeout: 120_000 * PATIENCE },
  async (point) => {
    await using daemon = makeDaemon({ vm: COUNTED });
    using disk = mountLossyDisk(daemon.stateDir, join(daemon.dir, 'disk'));
    const task = crashTask(daemon, 2);
    await daemon.start({ TOWLINE_FAULT: `${point}:hold` });
    const asking = daemon.spawnCli(['submit', ...task.args]);
    await heldAt(daemon, point.slice(0, point.indexOf(':')));
    await stopWhole(daemon.pid());
    disk.losePower();
    asking.kill();
    await daemon.kill('SIGKILL');
    disk.comeBack();
    await daemon.start({ TOWLINE_FAULT: 'boot.other' });
    const known = (await daemon.cli('list', '--all', '--quiet')).stdout;
    const id = await daemon.submit(...task.args);
    expect(known).toBe(`${id}\n`);
    await task.expectOneWholeRun(id);
    expect((await daemon.cli('list', '--all', '--quiet')).stdout).toBe(`${id}\n`);
  },
);

/** The control: with syncs left out, the same disk has lost what was committed. */
test('row 3: what was committed without a sync is lost on that disk, what was synced is not', () => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-power-'));
  try {
    const place = join(dir, 'state');
    using disk = mountLossyDisk(place, join(dir, 'disk'));
    const commit = (name: string, synchronous: 'OFF' | 'FULL'): DatabaseSync => {
      const db = new DatabaseSync(join(place, name));
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
      db.exec("CREATE TABLE tasks (id TEXT); INSERT INTO tasks VALUES ('t')");
      return db;
    };
    const count = (name: string): unknown => {
      using db = new DatabaseSync(join(place, name));
      return db.prepare('SELECT count(*) AS n FROM sqlite_master').get()?.['n'];
    };
    using synced = commit('synced.sqlite', 'FULL');
    using unsynced = commit('unsynced.sqlite', 'OFF');
    writeFileSync(join(place, 'unsynced.txt'), 'x');
    disk.losePower();
    for (const db of [synced, unsynced]) db.close();
    disk.comeBack();
    expect(count('synced.sqlite')).toBe(1);
    expect(count('unsynced.sqlite')).toBe(0);
    expect(existsSync(join(place, 'unsynced.txt'))).toBe(false);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
