/** The statements about what hosts may be used for. */
import type { HostEvent } from '../domain/host-mode.ts';
import type { Database } from './database.ts';
import { parseHostEvent } from './row-schemas.ts';

/** Writes down a change of mode, under the next number of events. */
export function writeHostEvent(db: Database, event: Omit<HostEvent, 'seq'>): HostEvent {
  db.run(
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'events', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events')",
  );
  db.run("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'events'");
  const { lastInsertRowid: seq } = db.run(
    "INSERT INTO host_events (seq, at, host, mode) SELECT seq, ?, ?, ? FROM sqlite_sequence WHERE name = 'events'",
    event.at,
    event.host,
    event.mode,
  );
  return { seq, ...event };
}

/** The last change of each host. */
export function lastHostEvents(db: Database): HostEvent[] {
  const rows = db.all(
    'SELECT * FROM host_events WHERE seq IN (SELECT max(seq) FROM host_events GROUP BY host) ORDER BY host',
  );
  return rows.map(parseHostEvent);
}

/** Changes after a number. */
export function listHostEvents(db: Database, since: number, limit: number): HostEvent[] {
  const rows = db.all('SELECT * FROM host_events WHERE seq > ? ORDER BY seq LIMIT ?', since, limit);
  return rows.map(parseHostEvent);
}
