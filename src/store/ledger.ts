/** The ledger inside the worker: takes a round of requests, gives a round of replies. */
import { dirname } from 'node:path';
import type { Database } from './database.ts';
import { openDatabase } from './database.ts';
import { commitGroup, type Outcome } from './group-commit.ts';
import { identify } from './meta.ts';
import { read } from './read-tasks.ts';
import type {
  Numbered,
  Opened,
  ReadRequest,
  Reply,
  Round,
  WorkerInput,
  WriteRequest,
} from './requests.ts';
import { sendError } from './sent-error.ts';
import { fromSqlite } from './sqlite-errors.ts';

export interface Ledger {
  readonly opened: Opened;
  /** Writes in one transaction, then reads; so a read sees every change that was sent before it. */
  answer(requests: readonly Numbered[]): Round;
  close(): void;
}

/**
 * Opens the database and says who it is.
 * @throws STORE_SCHEMA_NEWER, STORE_CORRUPT, STORE_FULL, DAEMON_ALREADY_RUNNING.
 */
export function openLedger(input: WorkerInput): Ledger {
  const dir = dirname(input.path);
  const db = translating(dir, () => openDatabase(input.path, input.now));
  try {
    const opened = translating(dir, () => identify(db, input));
    return createLedger(db, opened, dir);
  } catch (error) {
    db.close();
    throw error;
  }
}

function createLedger(db: Database, opened: Opened, dir: string): Ledger {
  let transactions = 0;
  let changes = 0;
  let broken: unknown;
  const reply = (id: number, outcome: Outcome): Reply =>
    'value' in outcome
      ? { id, value: outcome.value }
      : { id, error: sendError(fromSqlite(outcome.error, dir)) };

  const write = (requests: Numbered<WriteRequest>[]): Reply[] => {
    if (requests.length === 0) return [];
    if (broken !== undefined) return requests.map(({ id }) => reply(id, { error: broken }));
    const group = commitGroup(
      db,
      requests.map(({ request }) => request),
      opened.daemonId,
    );
    broken = group.broken;
    transactions += 1;
    changes += requests.length;
    return requests.map(({ id }, index) => reply(id, group.outcomes[index] as Outcome));
  };

  return {
    opened,
    answer(requests) {
      const written = write(requests.filter(isWrite));
      const found = requests.filter(isRead).map(({ id, request }) =>
        reply(
          id,
          answering(() => read(db, request)),
        ),
      );
      return { replies: [...written, ...found], transactions, changes };
    },
    close: () => db.close(),
  };
}

function answering(act: () => unknown): Outcome {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}

function translating<T>(dir: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fromSqlite(error, dir);
  }
}

const WRITES: ReadonlySet<string> = new Set<WriteRequest['op']>([
  'commit',
  'insert',
  'forget',
  'set-host-mode',
  'prune-events',
  'record-removals',
  'remember-hashes',
]);

function isWrite(numbered: Numbered): numbered is Numbered<WriteRequest> {
  return WRITES.has(numbered.request.op);
}

function isRead(numbered: Numbered): numbered is Numbered<ReadRequest> {
  return !WRITES.has(numbered.request.op);
}
