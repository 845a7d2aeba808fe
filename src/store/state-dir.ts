/** The state directory: ours, private, on a local disk, or refused with what to change. */
import { chmod, mkdir, open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, type ErrorCode } from '../domain/failure.ts';
import { type FileSystemProbe, LOCAL_PROBE, networkFileSystem } from './network-file-systems.ts';

/**
 * Makes the directory (0700) where there is none, and checks the one that is there.
 * @throws DAEMON_STATE_DIR_INVALID, DAEMON_STATE_DIR_NETWORK, STORE_FULL.
 */
export async function prepareStateDir(dir: string, probe = LOCAL_PROBE): Promise<void> {
  await make(dir);
  await check(dir);
  await refuseNetwork(dir, probe);
}

/** Makes an empty file that only we can read; one that is there is made private. */
export async function makePrivateFile(path: string): Promise<void> {
  try {
    // SQLite gives its log and index files the mode of the database.
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    // IMPORTANT: an existing database is not opened here: closing it would drop the locks that
    // SQLite holds on it in this process.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw refused(dirname(path), error);
    await chmod(path, 0o600);
  }
}

async function make(dir: string): Promise<void> {
  try {
    await makeWithParents(dir);
  } catch (error) {
    throw refused(dir, error);
  }
}

/** Node's own recursive mkdir never comes back where a file system says ENOENT for ever (/proc). */
async function makeWithParents(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(dir) === dir) throw error;
    await makeWithParents(dirname(dir));
    await mkdir(dir, { mode: 0o700 });
  }
  await syncDirectory(dirname(dir));
}

async function check(dir: string): Promise<void> {
  const info = await stat(dir).catch((error: unknown) => {
    throw refused(dir, error);
  });
  if (!info.isDirectory()) throw invalid(dir, 'it is not a directory');
  if (info.uid !== process.geteuid?.()) {
    throw invalid(dir, `it belongs to user ${info.uid}, not to us (${process.geteuid?.()})`);
  }
  if ((info.mode & 0o077) !== 0) {
    const mode = (info.mode & 0o777).toString(8);
    throw invalid(dir, `others may enter it (mode ${mode}); close it: chmod 700 ${dir}`);
  }
}

async function refuseNetwork(dir: string, probe: FileSystemProbe): Promise<void> {
  const name = await networkFileSystem(await realpath(dir), probe);
  if (name === undefined) return;
  throw new AppError('DAEMON_STATE_DIR_NETWORK', `${dir} is on a network file system (${name})`, {
    context: { dir, type: name },
  });
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function invalid(dir: string, reason: string): AppError {
  return new AppError('DAEMON_STATE_DIR_INVALID', `${dir}: ${reason}`, { context: { dir } });
}

function refused(dir: string, error: unknown): AppError {
  const { code, message } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const named: ErrorCode = full ? 'STORE_FULL' : 'DAEMON_STATE_DIR_INVALID';
  return new AppError(named, `${dir}: ${message}`, { context: { dir }, cause: error });
}
