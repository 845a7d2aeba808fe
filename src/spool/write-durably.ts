/** Files that are whole or not there, whatever happens while they are written. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { between } from '../fault.ts';

/** What writes part of a buffer and says how much. */
export type Writer = Pick<FileHandle, 'write'>;

/** Writes all bytes at `position`: one write may take fewer than it was given without an error. */
export async function writeAll(file: Writer, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) {
      throw Object.assign(new Error('the disk takes no more bytes'), {
        code: 'ENOSPC',
        syscall: 'write',
      });
    }
    done += bytesWritten;
  }
}

/**
 * Replaces the file at `path` (0600) so that it survives a loss of power, whole; one writer at a time.
 * Errors are those of the disk.
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  // Always the same name: what a killed daemon left is found, and never becomes many.
  const temporary = `${path}.tmp`;
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await writeAll(file, bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await between(`rename.${basename(path)}`, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes a directory (0700); false when it is there. Errors are those of the disk. */
export async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Makes the names in a directory durable. Errors are those of the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
