/** SQLite's own errors, translated once. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, isAppError } from '../domain/failure.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
const SQLITE_IOERR_FSYNC = 1034;

const PROBE_BYTES = 64 * 1024;

interface SqliteError extends Error {
  errcode: number;
}

/** True for an error that node:sqlite threw. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/**
 * True when the disk refused to make something durable. What is on it is then unknown: nothing may
 * be written after it in this process.
 */
export function isFailedSync(error: unknown): boolean {
  return isSqliteError(error) && error.errcode === SQLITE_IOERR_FSYNC;
}

/** An error of the database in `dir` as an AppError; what is a bug comes back as it is. */
export function fromSqlite(error: unknown, dir: string): unknown {
  if (isAppError(error) || !isSqliteError(error)) return error;
  const told = `${error.message} (SQLite ${error.errcode})`;
  const say = (
    code: 'STORE_FULL' | 'STORE_IO' | 'STORE_CORRUPT' | 'DAEMON_ALREADY_RUNNING',
    what: string,
  ) => new AppError(code, `${what} in ${dir}: ${told}`, { context: { dir }, cause: error });
  // The low byte is the primary code.
  switch (error.errcode & 0xff) {
    case SQLITE_FULL:
      return say('STORE_FULL', 'no space for the database');
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      // A full disk or quota shows itself here too: on a sync, or when a file has to be made.
      return refusesBytes(dir)
        ? say('STORE_FULL', 'no space for the database')
        : say('STORE_IO', 'the database cannot be read or written');
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return say('STORE_CORRUPT', 'the database is damaged');
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return say('DAEMON_ALREADY_RUNNING', 'another process holds the database');
    default:
      return error;
  }
}

/** Asks the disk itself: the free space that it reports does not know quotas. */
function refusesBytes(dir: string): boolean {
  const path = join(dir, `.probe-${randomUUID()}`);
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      const bytes = Buffer.alloc(PROBE_BYTES);
      return writeSync(file, bytes) < bytes.length;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOSPC' || code === 'EDQUOT';
  } finally {
    rmSync(path, { force: true });
  }
}
