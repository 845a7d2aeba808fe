/** The daemon's database as seen from outside, while the daemon runs, is frozen or is dead. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TaskState } from '../../src/domain/state.ts';
import type { PastAttempt } from '../../src/domain/task.ts';
import { STEPS, type Step } from './plan.ts';

export interface StoredTask {
  id: string;
  state: TaskState;
  history: PastAttempt[];
}

export interface Stored {
  tasks: StoredTask[];
  /** Orders that are not carried out yet. */
  orders: number;
}

/** Reads all tasks; undefined while there is no database that can be read. */
export function lookAtStore(stateDir: string): Stored | undefined {
  const file = join(stateDir, 'towline.sqlite');
  if (!existsSync(file)) return undefined;
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
    try {
      const rows = db.prepare('SELECT id, state, history FROM tasks ORDER BY ordinal').all();
      const orders = db.prepare('SELECT count(*) AS n FROM effects').get();
      return {
        orders: Number(orders?.['n']),
        tasks: rows.map((row) => ({
          id: String(row['id']),
          state: JSON.parse(String(row['state'])) as TaskState,
          history: JSON.parse(String(row['history'])) as PastAttempt[],
        })),
      };
    } finally {
      db.close();
    }
  } catch {
    // on a full disk even the shared memory of a reader cannot be made
    return undefined;
  }
}

/** The furthest step that a task has come to; what was tried again has been everywhere. */
export function stepOf({ state, history }: StoredTask): Step {
  if (history.length > 0) return 'ended';
  const here = STEPS.find((step) => step === state.kind);
  if (here !== undefined) return here;
  return ['held', 'waiting', 'queued'].includes(state.kind) ? 'submitted' : 'ended';
}

export function isAtRest({ state }: StoredTask): boolean {
  return 'cleanup' in state && state.cleanup !== 'pending';
}
