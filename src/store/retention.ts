/** The statements about what is gone: events beyond their time, and the book of what was removed. */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import type { Database } from './database.ts';
import type { EventsGone, NewRemoval, Removal } from './store.ts';

/** One transaction removes at most so many, so that nobody waits long for it. */
const ROUND_EVENTS = 10_000;
/** The book itself has an end, too. */
const REMOVALS_MAX = 100_000;

/** What of the events is gone. */
export function eventsGone(db: Database): EventsGone {
  const row = db.get('SELECT pruned_to, last_gone FROM events_gone');
  return { prunedTo: Number(row?.['pruned_to'] ?? 0), lastGone: Number(row?.['last_gone'] ?? 0) };
}

/** Call before the events of a task go with it. */
export function noteGone(db: Database, task: string): void {
  db.run(
    'UPDATE events_gone SET last_gone = max(last_gone, coalesce((SELECT max(seq) FROM events WHERE task = ?), 0))',
    task,
  );
}

/** Removes the oldest events that are too old or too many, a round of them; gives back how many. */
export function pruneEvents(db: Database, limits: { keep: number; before: number }): number {
  const last = Number(
    db.get("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?.['seq'] ?? 0,
  );
  const young = db.get(
    'SELECT seq FROM events WHERE at >= ? ORDER BY seq LIMIT 1',
    limits.before,
  )?.['seq'];
  const cut = Math.max(last - limits.keep, young === undefined ? last : Number(young) - 1);
  const round = db.all(
    'SELECT seq FROM events WHERE seq <= ? ORDER BY seq LIMIT ?',
    cut,
    ROUND_EVENTS,
  );
  const to = Number(round.at(-1)?.['seq'] ?? 0);
  if (to === 0) return 0;
  db.run('DELETE FROM events WHERE seq <= ?', to);
  // The last of each host is its mode.
  db.run(
    'DELETE FROM host_events WHERE seq <= ? AND seq NOT IN (SELECT max(seq) FROM host_events GROUP BY host)',
    to,
  );
  db.run('UPDATE events_gone SET pruned_to = ?, last_gone = max(last_gone, ?)', to, to);
  return round.length;
}

/** Writes down what was removed; the oldest lines make room. */
export function writeRemovals(db: Database, daemon: string, removals: NewRemoval[]): void {
  for (const { at, kind, what, host, count, bytes } of removals) {
    const { lastInsertRowid } = db.run(
      'INSERT INTO removals (at, daemon, kind, what, host, count, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[at, daemon, kind, what, host ?? null, count, bytes ?? null],
    );
    db.run('DELETE FROM removals WHERE ordinal <= ?', lastInsertRowid - REMOVALS_MAX);
  }
}

const removalRow = z.object({
  at: z.int(),
  daemon: z.string(),
  kind: z.string(),
  what: z.string(),
  host: z.string().nullable(),
  count: z.int().min(1),
  bytes: z.int().min(0).nullable(),
});

/** The newest lines of the book, oldest first. @throws STORE_CORRUPT */
export function listRemovals(db: Database, limit: number): Removal[] {
  return db
    .all('SELECT * FROM removals ORDER BY ordinal DESC LIMIT ?', limit)
    .map((row) => {
      const parsed = removalRow.safeParse(row);
      if (!parsed.success) {
        throw new AppError('STORE_CORRUPT', `table removals: ${parsed.error.issues[0]?.message}`);
      }
      const { host, bytes, ...rest } = parsed.data;
      return { ...rest, ...(host !== null && { host }), ...(bytes !== null && { bytes }) };
    })
    .toReversed();
}
