/** The statements that read. Everything that comes back has passed its schema. */
import assert from 'node:assert/strict';
import type { SQLInputValue } from 'node:sqlite';
import { isAppError } from '../domain/failure.ts';
import { ENDED_KINDS, STATE_KINDS } from '../domain/state.ts';
import type { TaskId } from '../domain/task.ts';
import { parseCursor } from './cursor.ts';
import type { Database, Row } from './database.ts';
import { readHashes } from './file-hashes.ts';
import { lastHostEvents, listHostEvents } from './host-events.ts';
import { FINGERPRINT } from './migrations/0005-fingerprints.ts';
import { listDocuments } from './read-documents.ts';
import type { Answers, ReadRequest } from './requests.ts';
import { eventsGone, listRemovals } from './retention.ts';
import { parseEffect, parseEvent, parseTask } from './row-schemas.ts';
import { createPartSharing } from './share-parts.ts';
import type { TaskQuery, UnreadableTask } from './store.ts';

type LiveQuery = Extract<ReadRequest, { op: 'load-live' }>;

/** A page of tasks ends early when they are big: whoever lists them holds a page in memory. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;
const LIVE_KINDS = STATE_KINDS.filter((kind) => !(ENDED_KINDS as readonly string[]).includes(kind))
  .map((kind) => `'${kind}'`)
  .join(', ');

/**
 * Answers one question.
 * @throws STORE_CORRUPT when a row does not parse; REQUEST_INVALID for a cursor that is none.
 */
export function read(db: Database, request: ReadRequest): Answers[ReadRequest['op']] {
  switch (request.op) {
    case 'get-task':
      return getTask(db, request.id);
    case 'find-ids':
      return findIds(db, request.prefix);
    case 'load-live':
      return loadLive(db, request);
    case 'list-tasks':
      return listTasks(db, request.query);
    case 'list-documents':
      return listDocuments(db, request.query);
    case 'list-events':
      return listEvents(db, request.query);
    case 'host-modes':
      return lastHostEvents(db);
    case 'last-seq':
      return lastSeq(db);
    case 'events-gone':
      return eventsGone(db);
    case 'list-removals':
      return listRemovals(db, request.limit);
    case 'known-hashes':
      return readHashes(db, request.identities);
  }
}

function getTask(db: Database, id: string): Answers['get-task'] {
  const row = db.get('SELECT * FROM tasks WHERE id = ?', id);
  return row && parseTask(row);
}

/** By range, not LIKE: nothing in a prefix is a wildcard. */
function findIds(db: Database, prefix: string): TaskId[] {
  const end = `${prefix}\u{10ffff}`;
  const rows = db.all('SELECT id FROM tasks WHERE id >= ? AND id < ? LIMIT 2', prefix, end);
  return rows.map((row) => String(row['id']) as TaskId);
}

/** A page at a time: neither thread then holds more than that twice. */
function loadLive(db: Database, { after, limit }: LiveQuery): Answers['load-live'] {
  const rows = db.all(
    `SELECT * FROM tasks WHERE ordinal > ?
     AND (state_kind IN (${LIVE_KINDS}) OR EXISTS (SELECT 1 FROM effects WHERE task = tasks.id))
     ORDER BY ordinal LIMIT ?`,
    after,
    limit,
  );
  const next = rows.length < limit ? undefined : Number(rows.at(-1)?.['ordinal']);
  const { read: found, unreadable } = readAll(rows, (row) => ({
    task: parseTask(row),
    effects: ordersOf(db, String(row['id'])).map(parseEffect),
  }));
  const tasks = found.map(({ task }) => task);
  // What is one object here is one on the other side, too.
  return createPartSharing()({
    tasks,
    effects: found.flatMap(({ effects }) => effects),
    unreadable,
    next,
  });
}

function ordersOf(db: Database, id: string): Row[] {
  return db.all('SELECT task, attempt, kind FROM effects WHERE task = ? ORDER BY ordinal', id);
}

/** One row that cannot be read is told apart: the others are not its concern. */
function readAll<T>(
  rows: readonly Row[],
  parse: (row: Row) => T,
): { read: T[]; unreadable: UnreadableTask[] } {
  const all: T[] = [];
  const unreadable: UnreadableTask[] = [];
  for (const row of rows) {
    try {
      all.push(parse(row));
    } catch (error) {
      if (!isAppError(error) || error.code !== 'STORE_CORRUPT') throw error;
      unreadable.push({ id: String(row['id']) as TaskId, why: error.message });
    }
  }
  return { read: all, unreadable };
}

function listTasks(db: Database, query: TaskQuery): Answers['list-tasks'] {
  assert(query.limit >= 1, 'a page holds at least one task');
  const { where, values } = conditions(query);
  const sizes = db.all(
    `SELECT octet_length(spec) + octet_length(state) + octet_length(history) AS bytes
     FROM tasks WHERE ${where} ORDER BY ordinal DESC LIMIT ?`,
    ...values,
    query.limit + 1,
  );
  const rows = db.all(
    `SELECT * FROM tasks WHERE ${where} ORDER BY ordinal DESC LIMIT ?`,
    ...values,
    Math.min(query.limit, pageLength(sizes.map((row) => Number(row['bytes'])))),
  );
  const { read: tasks, unreadable } = readAll(rows, parseTask);
  const more = sizes.length > rows.length;
  return {
    tasks,
    ...(unreadable.length > 0 && { unreadable }),
    ...(more && { cursor: String(rows.at(-1)?.['ordinal']) }),
  };
}

/** How many of the rows, at least one, stay together below the size of a page. */
function pageLength(sizes: readonly number[]): number {
  let bytes = 0;
  const end = sizes.findIndex((size) => (bytes += size) > PAGE_BYTES_MAX);
  return end === -1 ? sizes.length : Math.max(1, end);
}

function conditions(query: TaskQuery): { where: string; values: SQLInputValue[] } {
  const parts = ['ordinal < ?'];
  const values: SQLInputValue[] = [parseCursor(query.cursor)];
  if (query.states !== undefined) {
    parts.push('state_kind IN (SELECT value FROM json_each(?))');
    values.push(JSON.stringify(query.states));
  }
  if (query.host !== undefined) {
    parts.push('host = ?');
    values.push(query.host);
  }
  if (query.name !== undefined) {
    parts.push("json_extract(spec, '$.name') = ?");
    values.push(query.name);
  }
  if (query.fingerprint !== undefined) {
    parts.push(`state_kind = 'succeeded' AND ${FINGERPRINT} = ?`);
    values.push(query.fingerprint);
  }
  for (const [key, value] of Object.entries(query.tags ?? {})) {
    parts.push('EXISTS (SELECT 1 FROM tags WHERE task = tasks.id AND key = ? AND value = ?)');
    values.push(key, value);
  }
  return { where: parts.join(' AND '), values };
}

type EventQuery = Extract<ReadRequest, { op: 'list-events' }>['query'];

function listEvents(db: Database, { since, limit, task }: EventQuery): Answers['list-events'] {
  const rows =
    task === undefined
      ? db.all('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?', since, limit)
      : db.all(
          'SELECT * FROM events WHERE task = ? AND seq > ? ORDER BY seq LIMIT ?',
          task,
          since,
          limit,
        );
  const events = rows.map(parseEvent);
  if (task !== undefined) return events;
  return [...events, ...listHostEvents(db, since, limit)]
    .toSorted((a, b) => a.seq - b.seq)
    .slice(0, limit);
}

/** Counts forgotten events too: a number once told is never told again. */
function lastSeq(db: Database): number {
  return Number(db.get("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?.['seq'] ?? 0);
}
