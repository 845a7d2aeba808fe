/** Several changes, one transaction: each stands or falls alone, all reach the disk together. */

import type { Database } from './database.ts';
import { writeHashes } from './file-hashes.ts';
import { writeHostEvent } from './host-events.ts';
import { insertTasks } from './insert-tasks.ts';
import type { WriteRequest } from './requests.ts';
import { pruneEvents, writeRemovals } from './retention.ts';
import { isFailedSync } from './sqlite-errors.ts';
import { commitChange, forgetTasks } from './write-tasks.ts';

export type Outcome = { value: unknown } | { error: unknown };

/** Whether a failed group may be followed by another. */
export interface GroupResult {
  outcomes: Outcome[];
  /** Set when the disk did not sync: nobody knows what is on it, so nothing may be written any more. */
  broken?: unknown;
}

/**
 * Carries out the requests in order in one transaction. One that fails is undone alone; when the
 * database itself fails, all are undone and all get its error.
 */
export function commitGroup(
  db: Database,
  requests: readonly WriteRequest[],
  daemonId: string,
): GroupResult {
  try {
    db.exec('BEGIN IMMEDIATE');
    const outcomes = requests.map((request) => attempt(db, request, daemonId));
    db.exec('COMMIT');
    return { outcomes };
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    const outcomes = requests.map(() => ({ error }));
    return isFailedSync(error) ? { outcomes, broken: error } : { outcomes };
  }
}

function attempt(db: Database, request: WriteRequest, daemonId: string): Outcome {
  db.exec('SAVEPOINT change');
  try {
    const value = carryOut(db, request, daemonId);
    db.exec('RELEASE change');
    return { value };
  } catch (error) {
    // On a full or failing disk SQLite may have undone the whole group by itself.
    if (!db.inTransaction) throw error;
    db.exec('ROLLBACK TO change');
    db.exec('RELEASE change');
    return { error };
  }
}

function carryOut(db: Database, request: WriteRequest, daemonId: string): unknown {
  switch (request.op) {
    case 'commit':
      if (request.change.removed) writeRemovals(db, daemonId, [request.change.removed]);
      return commitChange(db, request.change);
    case 'insert':
      return insertTasks(db, request);
    case 'forget':
      writeRemovals(db, daemonId, request.removed ?? []);
      return forgetTasks(db, request.ids);
    case 'set-host-mode':
      return writeHostEvent(db, request.change);
    case 'prune-events':
      return pruneEvents(db, request.limits);
    case 'record-removals':
      return writeRemovals(db, daemonId, request.removals);
    case 'remember-hashes':
      return writeHashes(db, request.hashes);
  }
}
