/** One daemon per state directory: an exclusive transaction that the kernel ends with the process. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../domain/failure.ts';
import { LOCAL_PROBE } from './network-file-systems.ts';
import { isSqliteError } from './sqlite-errors.ts';
import { makePrivateFile, prepareStateDir } from './state-dir.ts';

const SQLITE_BUSY = 5;

export interface StateLock extends AsyncDisposable {
  release(): Promise<void>;
}

/**
 * Takes the directory for this process until it is released or the process ends, however it ends.
 * @throws DAEMON_ALREADY_RUNNING naming the holder's pid; DAEMON_STATE_DIR_INVALID,
 * DAEMON_STATE_DIR_NETWORK, STORE_FULL for a directory that cannot be used.
 */
export async function lockStateDir(stateDir: string, probe = LOCAL_PROBE): Promise<StateLock> {
  await prepareStateDir(stateDir, probe);
  const path = join(stateDir, 'lock.sqlite');
  const pidPath = join(stateDir, 'lock.pid');
  await makePrivateFile(path);
  const db = await hold(path, { stateDir, pidPath });
  // For people only: a full disk must not keep the holder from its work.
  await makePrivateFile(pidPath)
    .then(() => writeFile(pidPath, `${process.pid}\n`))
    .catch(() => {});
  const release = async () => {
    if (!db.isOpen) return;
    await rm(pidPath, { force: true });
    db.close();
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function hold(
  path: string,
  { stateDir, pidPath }: { stateDir: string; pidPath: string },
): Promise<DatabaseSync> {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    // Nothing is ever written: no journal has to lie beside it.
    db.exec('PRAGMA journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    const busy = isSqliteError(error) && (error.errcode & 0xff) === SQLITE_BUSY;
    if (!busy) {
      throw new AppError('DAEMON_STATE_DIR_INVALID', `${path} cannot be locked: ${String(error)}`, {
        context: { dir: stateDir },
        cause: error,
      });
    }
    // The pid is only told, never trusted: the lock alone decides.
    const pid = (await readFile(pidPath, 'utf8').catch(() => '')).trim() || 'unknown';
    throw new AppError('DAEMON_ALREADY_RUNNING', `a daemon (pid ${pid}) owns ${stateDir}`, {
      context: { dir: stateDir, pid },
      cause: error,
    });
  }
}
