/**
 * Brings one fetched file to its final name on the submit host: temporary name in the same directory,
 * hash checked, synced, then named, never over an existing file unless asked. Nothing half is ever
 * seen at the final name.
 */
import { createHash } from 'node:crypto';
import { link, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import { between } from '../../fault.ts';
import { askDisk, holdDisk } from '../disk/disk.ts';
import { hashOf } from './local-inputs.ts';

export interface Delivery {
  local: string;
  /** What the user named; the rest of `local` was named far away. Default: all of it is the user's. */
  base?: string;
  mode: number;
  /** What the host says of it; it may say so while the bytes are coming. */
  sha256: string | Promise<string>;
  overwrite: boolean;
  /** Makes the temporary name this attempt's own. */
  token: string;
}

/**
 * Fetches through `fetch` and delivers. Done already by an earlier try: nothing is fetched.
 * @throws OUTPUT_EXISTS OUTPUT_CHECKSUM_MISMATCH OUTPUT_LOCAL_WRITE OUTPUT_LOCAL_FULL and what fetch throws
 */
export async function deliver(
  delivery: Delivery,
  fetch: (write: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { local } = delivery;
  const part = partPath(delivery);
  const removePart = (): Promise<void> => onDisk(local, () => rm(part, { force: true }));
  // A daemon that was killed in the middle may have left its part beside the whole.
  if (await isDelivered(delivery)) return await removePart();
  await makeDirectory(dirname(local), delivery.base);
  try {
    const came = await between('output.fetch', () => fetchTo(part, delivery, fetch));
    const sha256 = await delivery.sha256;
    if (came !== sha256) {
      throw new AppError(
        'OUTPUT_CHECKSUM_MISMATCH',
        `output ${local}: fetched bytes have sha256 ${came}, on the host ${sha256}`,
        { context: { path: local } },
      );
    }
    await between('output.publish', () => publish(part, delivery));
  } finally {
    await removePart();
  }
}

/**
 * Removes the parts of an attempt that nobody will go on with, in the directories that its outputs are
 * said to go to. What cannot be removed stays.
 */
export async function removeParts(
  token: string,
  outputs: readonly { local: string }[],
): Promise<void> {
  for (const directory of new Set(outputs.flatMap(({ local }) => [dirname(local), local]))) {
    const names = await readdir(directory).catch(() => [] as string[]);
    const parts = names.filter((name) => name.startsWith(`.towline-${token}-`));
    for (const name of parts.filter((part) => part.endsWith('.part'))) {
      await rm(join(directory, name), { force: true }).catch(() => {});
    }
  }
}

/**
 * Makes a directory that outputs go to. On the way down from `base` a link of somebody else's is not
 * followed: in a directory that others write to it could lead anywhere.
 * @throws OUTPUT_LOCAL_WRITE OUTPUT_LOCAL_FULL OUTPUT_EXISTS
 */
export async function makeDirectory(path: string, base = path): Promise<void> {
  const below = relative(base, path);
  if (below === '' || below.startsWith('..')) {
    await onDisk(path, () => mkdir(path, { recursive: true }));
    return;
  }
  await makeDirectory(base);
  let at = base;
  for (const name of below.split('/')) {
    at = join(at, name);
    await onDisk(path, () => mkdir(at).catch(unlessThere));
    const info = await onDisk(path, () => lstat(at));
    if (info.isSymbolicLink() && info.uid !== process.getuid?.()) {
      const message = `output ${path}: ${at} is a link that belongs to another user (uid ${info.uid})`;
      throw new AppError('OUTPUT_EXISTS', message, { context: { path } });
    }
  }
}

function unlessThere(cause: NodeJS.ErrnoException): void {
  if (cause.code !== 'EEXIST') throw cause;
}

/** Not made of the final name, which may be as long as a name can be. */
export function partPath({ local, token }: Delivery): string {
  const hash = createHash('sha256').update(local).digest('hex').slice(0, 16);
  return join(dirname(local), `.towline-${token}-${hash}.part`);
}

/** True when the final name has these bytes already. @throws OUTPUT_EXISTS when it has others */
export async function isDelivered({ local, sha256, overwrite }: Delivery): Promise<boolean> {
  const there = await hashOfFile(local).catch((error: unknown) => {
    throw new AppError(
      'OUTPUT_EXISTS',
      `output ${local}: something that is no readable file is there`,
      {
        context: { path: local },
        cause: error,
      },
    );
  });
  if (there === undefined) return false;
  if (there === (await sha256)) return true;
  if (!overwrite) throw exists(local);
  return false;
}

/** Undefined when nothing is there; what is no regular file is not read, for that could take for ever. */
async function hashOfFile(path: string): Promise<string | undefined> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    throw cause;
  });
  if (info !== undefined && !info.isFile()) throw new Error('not a regular file');
  return info === undefined ? undefined : hashOf({ kind: 'path', path });
}

async function fetchTo(
  part: string,
  { local, mode }: Delivery,
  fetch: (write: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<string> {
  const release = holdDisk();
  try {
    const id = await onDisk(local, () => askDisk('openPart', [part]));
    try {
      await fill(id, local, fetch);
      const finalMode = mode & 0o111 ? 0o755 : 0o644;
      return (await onDisk(local, () => askDisk('endPart', [id, finalMode]))).sha256;
    } finally {
      await onDisk(local, () => askDisk('closePart', [id]));
    }
  } finally {
    release();
  }
}

/** Chunks that are being written while the next ones come. */
const WRITES_AHEAD = 8;

async function fill(
  id: number,
  local: string,
  fetch: (write: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<void> {
  const writing: Promise<void>[] = [];
  await fetch(async (chunk) => {
    const isWhole = chunk.byteLength === chunk.buffer.byteLength;
    const moved = isWhole ? [chunk.buffer as ArrayBuffer] : [];
    const write = onDisk(local, () => askDisk('appendPart', [id, chunk], moved));
    // its failure is met when its turn comes
    write.catch(() => {});
    writing.push(write);
    if (writing.length > WRITES_AHEAD) await writing.shift();
  });
  for (const write of writing) await write;
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function publish(part: string, delivery: Delivery): Promise<void> {
  await giveName(part, delivery);
  await onDisk(delivery.local, () => syncDirectory(dirname(delivery.local)));
}

/** The name is not on disk yet. @throws OUTPUT_EXISTS OUTPUT_LOCAL_WRITE OUTPUT_LOCAL_FULL */
export async function giveName(part: string, { local, overwrite }: Delivery): Promise<void> {
  if (overwrite) await onDisk(local, () => rename(part, local));
  else {
    await link(part, local).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') throw exists(local);
      throw cannotWrite(local, cause);
    });
  }
}

export async function onDisk<T>(local: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw cannotWrite(local, cause as Error);
  }
}

export function exists(local: string): AppError {
  return new AppError('OUTPUT_EXISTS', `output ${local}: a file is already there`, {
    context: { path: local },
  });
}

/** A full disk is waited for: what is to be fetched stays where it is. */
export function cannotWrite(local: string, cause: NodeJS.ErrnoException): AppError {
  const full = cause.code === 'ENOSPC' || cause.code === 'EDQUOT';
  return new AppError(
    full ? 'OUTPUT_LOCAL_FULL' : 'OUTPUT_LOCAL_WRITE',
    `output ${local} cannot be written: ${cause.message}`,
    { context: { path: local }, cause },
  );
}
