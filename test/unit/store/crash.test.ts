/**
 * Goal: what was acknowledged is there after the process is killed, and nothing half.
 * Method: a child commits as fast as it can until it is killed at some moment, or at a fault point.
 */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { TaskId } from '../../../src/domain/task.ts';
import { openStore } from '../../../src/store/open.ts';
import { runChild, temporaryDir } from './temporary.ts';

async function readBack(dir: string) {
  const { store } = await openStore({ stateDir: dir });
  const { tasks, effects } = await store.loadLive();
  const events = await store.listEvents({ since: 0, limit: 1e6 });
  await store.close();
  return { tasks, effects, events };
}

describe('a killed process', () => {
  it.each([5, 50, 150])(
    'leaves all that it acknowledged, whole, after %i commits',
    async (count) => {
      const dir = await temporaryDir();
      const child = runChild(new URL('./child-commit-loop.ts', import.meta.url), [dir]);
      await child.hasPrinted(count);
      child.process.kill('SIGKILL');
      await child.ended;

      const { tasks, effects, events } = await readBack(dir);
      const versions = new Map(tasks.map(({ id, version }) => [id as string, version]));
      for (const line of child.lines) {
        const [id = '', version, seq] = line.split(' ');
        expect(versions.get(id)).toBeGreaterThanOrEqual(Number(version));
        expect(events[Number(seq) - 1]).toMatchObject({
          task: id,
          data: { version: Number(version) },
        });
      }
      // Nothing half: each version of each task has its event, and the orders are those of the last.
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      for (const { id, version } of tasks) {
        expect(events.filter((event) => 'task' in event && event.task === id)).toHaveLength(
          version,
        );
        const orders = effects.filter(({ task }) => task === id);
        expect(orders).toEqual(
          version === 1 ? [] : [{ task: id, kind: 'stage', attempt: version }],
        );
      }
      const db = new DatabaseSync(join(dir, 'towline.sqlite'));
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      db.close();
    },
  );

  it.each([
    ['store.commit.before', 0],
    ['commit.submitted.before', 0],
    ['commit.submitted.after:4', 4],
    ['store.commit.after:4', 4],
  ])('at fault point %s leaves what was committed before it', async (fault, tasks) => {
    const dir = await temporaryDir();
    const child = runChild(new URL('./child-commit-loop.ts', import.meta.url), [dir], {
      TOWLINE_FAULT: fault,
    });
    expect(await child.ended).toBe('SIGKILL');
    expect((await readBack(dir)).tasks).toHaveLength(tasks);
  });

  it('held before a commit does not go on, and what is held is not in the store', async () => {
    const dir = await temporaryDir();
    const child = runChild(new URL('./child-commit-loop.ts', import.meta.url), [dir], {
      TOWLINE_FAULT: 'commit.placed.before:9:hold',
    });
    await child.hasPrinted(8);
    const held = child.lines.map((line) => line.split(' ')[0] as TaskId);
    child.process.kill('SIGKILL');
    await child.ended;
    const { tasks } = await readBack(dir);
    expect(new Set(tasks.map(({ id }) => id))).toEqual(new Set(held));
  });
});
