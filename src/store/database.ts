/** Opens the SQLite file as the ledger needs it: every commit is on disk before it is told. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { migrate } from './migrate.ts';

/** How long another process (a backup, a curious sqlite3) may hold the file. */
const BUSY_TIMEOUT_MS = 5_000;
/** The write-ahead log is folded into the database at this size (pages of 4 KiB)… */
const CHECKPOINT_PAGES = 1_000;
/** …and what a bigger transaction made it grow to is given back afterwards. */
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;

export type Row = Record<string, SQLOutputValue>;

/** A database whose statements are prepared once. */
export interface Database {
  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number };
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  exec(sql: string): void;
  readonly inTransaction: boolean;
  close(): void;
}

/**
 * Opens (and creates) the database and brings its schema up to date.
 * @throws STORE_SCHEMA_NEWER; errors of SQLite as they are.
 */
export function openDatabase(path: string, now: number): Database {
  const db = new DatabaseSync(path, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
  });
  try {
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA foreign_keys = ON');
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`);
    migrate(db, now);
  } catch (error) {
    db.close();
    throw error;
  }
  return wrap(db);
}

function wrap(db: DatabaseSync): Database {
  const prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const statement = (sql: string) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const fresh = db.prepare(sql);
    prepared.set(sql, fresh);
    return fresh;
  };
  return {
    run(sql, ...values) {
      const { changes, lastInsertRowid } = statement(sql).run(...values);
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
    },
    get: (sql, ...values) => statement(sql).get(...values),
    all: (sql, ...values) => statement(sql).all(...values),
    exec: (sql) => db.exec(sql),
    get inTransaction() {
      return db.isTransaction;
    },
    close() {
      prepared.clear();
      db.close();
    },
  };
}
