/**
 * Files that hold a large stdin between the client that sent it and the task that reads it. They
 * belong to the daemon: a file stays as long as a task that names it is known, and is removed by gc
 * after that; one that no task ever named is removed after a day.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../domain/failure.ts';
import type { Service } from '../engine/service.ts';
import { between } from '../fault.ts';
import { LIST_LIMIT_MAX, UPLOAD_BYTES_MAX } from '../protocol/limits.ts';

const UNNAMED_KEPT_MS = 24 * 3600 * 1000;

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

/** Removes old uploads that no known task names; gives back how many. */
export async function sweepUploads(
  directory: string,
  service: Pick<Service, 'list'>,
  now = Date.now(),
): Promise<number> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const old: string[] = [];
  for (const name of names) {
    const info = await stat(join(directory, name)).catch(() => undefined);
    if (info !== undefined && now - info.mtimeMs > UNNAMED_KEPT_MS) old.push(join(directory, name));
  }
  if (old.length === 0) return 0;
  const named = await namedFiles(service);
  const unneeded = old.filter((path) => !named.has(path));
  await Promise.all(unneeded.map((path) => rm(path, { force: true })));
  return unneeded.length;
}

async function namedFiles(service: Pick<Service, 'list'>): Promise<Set<string>> {
  const named = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await service.list({ limit: LIST_LIMIT_MAX, cursor });
    for (const { task } of page.tasks) {
      if (task.spec.stdin !== undefined && 'path' in task.spec.stdin)
        named.add(task.spec.stdin.path);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return named;
}
