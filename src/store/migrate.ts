/** Brings a database to this version's schema, one transaction per step, and never back. */
import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../domain/failure.ts';
import { SQL as INITIAL } from './migrations/0001-initial.ts';
import { SQL as HOST_EVENTS } from './migrations/0002-host-events.ts';
import { SQL as RETENTION } from './migrations/0003-retention.ts';
import { SQL as HOME } from './migrations/0004-home.ts';
import { SQL as FINGERPRINTS } from './migrations/0005-fingerprints.ts';
import { SQL as FILE_HASHES } from './migrations/0006-file-hashes.ts';
import { SQL as DOCUMENTS } from './migrations/0007-documents.ts';

/** `number` is the schema version (PRAGMA user_version) after the step. */
export interface Migration {
  number: number;
  name: string;
  sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: 'initial', sql: INITIAL },
  { number: 2, name: 'host-events', sql: HOST_EVENTS },
  { number: 3, name: 'retention', sql: RETENTION },
  { number: 4, name: 'home', sql: HOME },
  { number: 5, name: 'fingerprints', sql: FINGERPRINTS },
  { number: 6, name: 'file-hashes', sql: FILE_HASHES },
  { number: 7, name: 'documents', sql: DOCUMENTS },
];

/**
 * Applies the migrations that the database does not have yet, in order, each whole or not at all.
 * @throws STORE_SCHEMA_NEWER when the database is beyond the last of them.
 */
export function migrate(db: DatabaseSync, now: number, migrations = MIGRATIONS): void {
  const stored = schemaVersion(db);
  const known = migrations.at(-1)?.number ?? 0;
  if (stored > known) {
    throw new AppError(
      'STORE_SCHEMA_NEWER',
      `the database has schema ${stored}, this Towline knows schemas up to ${known}`,
      { context: { stored, known } },
    );
  }
  for (const migration of migrations) if (migration.number > stored) apply(db, now, migration);
}

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function apply(db: DatabaseSync, now: number, migration: Migration): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(migration.sql);
    db.exec(
      'CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT',
    );
    db.prepare('INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)').run(
      migration.number,
      migration.name,
      now,
    );
    db.exec(`PRAGMA user_version = ${migration.number}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
