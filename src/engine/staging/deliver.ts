/**
 * Brings one fetched file to its final name on the submit host: temporary name in the same directory,
 * hash checked, synced, then named, never over an existing file unless asked. Nothing half is ever
 * seen at the final name.
 */
import { createHash } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import { between } from '../../fault.ts';
import { hashOf } from './local-inputs.ts';

export interface Delivery {
  local: string;
  mode: number;
  sha256: string;
  overwrite: boolean;
  /** Makes the temporary name this attempt's own. */
  token: string;
}

/**
 * Fetches through `fetch` and delivers. Done already by an earlier try: nothing is fetched.
 * @throws OUTPUT_EXISTS OUTPUT_CHECKSUM_MISMATCH OUTPUT_LOCAL_WRITE and what fetch throws
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
  await makeDirectory(dirname(local));
  try {
    const sha256 = await between('output.fetch', () => fetchTo(part, local, fetch));
    if (sha256 !== delivery.sha256) {
      throw new AppError(
        'OUTPUT_CHECKSUM_MISMATCH',
        `output ${local}: fetched bytes have sha256 ${sha256}, on the host ${delivery.sha256}`,
        { context: { path: local } },
      );
    }
    await onDisk(local, () => chmod(part, delivery.mode & 0o111 ? 0o755 : 0o644));
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

/** Makes a directory that outputs go to. @throws OUTPUT_LOCAL_WRITE */
export async function makeDirectory(path: string): Promise<void> {
  await onDisk(path, () => mkdir(path, { recursive: true }));
}

/** Not made of the final name, which may be as long as a name can be. */
function partPath({ local, token }: Delivery): string {
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
  if (there === sha256) return true;
  if (there !== undefined && !overwrite) throw exists(local);
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
  local: string,
  fetch: (write: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<string> {
  // Whatever an earlier try left, or somebody else put there, is not written to.
  const file = await onDisk(local, async () => {
    await rm(part, { force: true });
    return open(part, 'wx', 0o600);
  });
  const hash = createHash('sha256');
  try {
    await fetch(async (chunk) => {
      hash.update(chunk);
      await onDisk(local, () => file.writeFile(chunk));
    });
    await onDisk(local, () => file.sync());
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function publish(part: string, { local, overwrite }: Delivery): Promise<void> {
  if (overwrite) await onDisk(local, () => rename(part, local));
  else {
    await link(part, local).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') throw exists(local);
      throw cannotWrite(local, cause);
    });
  }
  const directory = await open(dirname(local), 'r');
  try {
    await onDisk(local, () => directory.sync());
  } finally {
    await directory.close();
  }
}

async function onDisk<T>(local: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw cannotWrite(local, cause as Error);
  }
}

function exists(local: string): AppError {
  return new AppError('OUTPUT_EXISTS', `output ${local}: a file is already there`, {
    context: { path: local },
  });
}

function cannotWrite(local: string, cause: Error): AppError {
  return new AppError('OUTPUT_LOCAL_WRITE', `output ${local} cannot be written: ${cause.message}`, {
    context: { path: local },
    cause,
  });
}
