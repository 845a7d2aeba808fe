/**
 * Files that hold a large stdin between the client that sent it and the task that reads it. They
 * belong to the daemon: a file stays as long as a task that names it is known, and is removed by gc
 * (engine/gc-local.ts) after that; one that no task ever named is removed after a day.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../domain/failure.ts';
import { between } from '../fault.ts';
import { UPLOAD_BYTES_MAX } from '../protocol/limits.ts';

/**
 * Writes the bytes to a new file that only the owner can read; it is on disk when this resolves.
 * @throws STORE_FULL REQUEST_INVALID when there are too many bytes
 */
export async function storeUpload(
  directory: string,
  body: Readable,
): Promise<{ path: string; bytes: number }> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, randomBytes(16).toString('hex'));
  const partial = `${path}.part`;
  try {
    const bytes = await writeSynced(partial, body);
    await between('upload.publish', () => rename(partial, path));
    return { path, bytes };
  } catch (error) {
    await rm(partial, { force: true });
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new AppError('STORE_FULL', `no space left in ${directory}`, { cause: error });
  }
}

async function writeSynced(path: string, body: Readable): Promise<number> {
  await using file = await open(path, 'wx', 0o600);
  let bytes = 0;
  for await (const chunk of body) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > UPLOAD_BYTES_MAX) {
      throw new AppError('REQUEST_INVALID', `an upload has at most ${UPLOAD_BYTES_MAX} bytes`);
    }
    await file.writeFile(part);
  }
  await file.sync();
  return bytes;
}
