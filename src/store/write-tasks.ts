/** The statements that change tasks. Each runs inside a transaction that somebody else began. */
import assert from 'node:assert/strict';
import { isEnded, type TaskState } from '../domain/state.ts';
import type { Task, TaskId } from '../domain/task.ts';
import type { Database } from './database.ts';
import { historySchema } from './history-schema.ts';
import { noteGone } from './retention.ts';
import { parseTask } from './row-schemas.ts';
import { taskSpecSchema } from './spec-schema.ts';
import { taskStateSchema } from './state-schema.ts';
import type { Change, EventRecord } from './store.ts';

/** Writes a task as it shall now stand, with its events and orders. An unexpected version is a bug. */
export function commitChange(db: Database, change: Change): EventRecord[] {
  const { task } = change;
  checkReadable(task);
  const { changes } = db.run(
    `UPDATE tasks SET version = ?, state_kind = ?, host = ?, attempt = ?, state = ?, history = ?
     WHERE id = ? AND version = ?`,
    task.version,
    task.state.kind,
    hostOf(task),
    task.state.attempt,
    JSON.stringify(task.state),
    JSON.stringify(task.history),
    task.id,
    task.version - 1,
  );
  if (changes === 0) failOnVersion(db, task);
  db.run('DELETE FROM effects WHERE task = ?', task.id);
  return writeNews(db, change);
}

/** Writes a task that was not there before. */
export function insertChange(db: Database, change: Change, key: string | undefined): EventRecord[] {
  const { task } = change;
  checkReadable(task);
  assert(
    db.get('SELECT 1 FROM tasks WHERE id = ?', task.id) === undefined,
    `task ${task.id} is there already`,
  );
  db.run(
    `INSERT INTO tasks (id, version, state_kind, host, attempt, submitted_at, idempotency_key, spec, state, history)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    task.id,
    task.version,
    task.state.kind,
    hostOf(task),
    task.state.attempt,
    task.submittedAt,
    key ?? null,
    JSON.stringify(task.spec),
    JSON.stringify(task.state),
    JSON.stringify(task.history),
  );
  for (const [tag, value] of Object.entries(task.spec.tags)) {
    db.run('INSERT INTO tags (task, key, value) VALUES (?, ?, ?)', task.id, tag, value);
  }
  const { document } = change;
  if (document !== undefined) {
    const { name = null, body } = document;
    db.run('INSERT INTO documents (task, name, body) VALUES (?, ?, ?)', task.id, name, body);
  }
  return writeNews(db, change);
}

/** Removes ended tasks with all that hangs on them; to forget one that goes on is a bug. */
export function forgetTasks(db: Database, ids: TaskId[]): void {
  for (const id of ids) {
    const row = db.get('SELECT * FROM tasks WHERE id = ?', id);
    if (row === undefined) continue;
    const task = parseTask(row);
    assert(isEnded(task.state), `task ${id} is ${task.state.kind}: only ended tasks are forgotten`);
    noteGone(db, id);
    db.run('DELETE FROM tasks WHERE id = ?', id);
    if (task.idempotencyKey === undefined) continue;
    db.run(
      'DELETE FROM submissions WHERE key = ? AND NOT EXISTS (SELECT 1 FROM tasks WHERE idempotency_key = key)',
      task.idempotencyKey,
    );
  }
}

function writeNews(db: Database, change: Change): EventRecord[] {
  const { task, events, effects } = change;
  for (const effect of effects) {
    db.run(
      'INSERT INTO effects (task, attempt, kind) VALUES (?, ?, ?)',
      task.id,
      effect.attempt,
      effect.kind,
    );
  }
  return events.map((event) => {
    const { at, attempt, kind, state } = event;
    assert(event.task === task.id, `event ${kind} of ${event.task} came with task ${task.id}`);
    const { lastInsertRowid: seq } = db.run(
      'INSERT INTO events (at, task, attempt, kind, state, data) VALUES (?, ?, ?, ?, ?, ?)',
      at,
      task.id,
      attempt,
      kind,
      state,
      JSON.stringify(event.data),
    );
    return { ...event, seq };
  });
}

/** What could not be read back must not be written: the bug is here, not in a daemon months later. */
function checkReadable(task: Task): void {
  for (const [part, result] of [
    ['spec', taskSpecSchema.safeParse(task.spec)],
    ['state', taskStateSchema.safeParse(task.state)],
    ['history', historySchema.safeParse(task.history)],
  ] as const) {
    const issue = result.error?.issues[0];
    assert(
      issue === undefined,
      `task ${task.id} does not fit its schema: ${part}.${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
}

function failOnVersion(db: Database, task: Task): never {
  const stored = db.get('SELECT version FROM tasks WHERE id = ?', task.id)?.['version'];
  assert.fail(
    stored === undefined
      ? `task ${task.id} is not in the store; it must be inserted before it is changed`
      : `task ${task.id} is stored with version ${String(stored)}; version ${task.version} cannot follow it`,
  );
}

/** Where the task is, or where the user wants it. */
function hostOf(task: Task): string | null {
  return hostOfState(task.state) ?? task.spec.host ?? null;
}

function hostOfState(state: TaskState): string | undefined {
  return 'host' in state ? state.host : undefined;
}
