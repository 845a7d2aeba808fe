/**
 * What a task's inputs are made of on the submit host: every file with its target, mode and hash.
 * Directories are walked; links to files are followed, links to directories are not (they could
 * loop). The hash is of the bytes read now; the upload hashes what it sends once more.
 */
import { createHash } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { Input, InputSource } from '../../domain/task.ts';

export type LocalBytes = { kind: 'path'; path: string } | { kind: 'bytes'; bytes: Buffer };

/** Not of another task. */
export type OwnSource = Exclude<InputSource, { kind: 'output' }>;

export interface OwnInput extends Input {
  source: OwnSource;
}

export type LocalEntry =
  | { kind: 'file'; target: string; from: LocalBytes; mode: number; bytes: number }
  | { kind: 'directory'; target: string }
  | { kind: 'remote'; target: string; path: string };

/** Each is a line of the launch and a name on the host. */
const ENTRIES_MAX = 20_000;
const DEPTH_MAX = 64;

/**
 * All files and directories of the inputs, in order.
 * @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE STAGE_LIMIT
 */
export async function listInputs(inputs: readonly OwnInput[]): Promise<LocalEntry[]> {
  const entries: LocalEntry[] = [];
  for (const { source, target } of inputs) {
    const room = ENTRIES_MAX - entries.length;
    for (const entry of await listInput(source, target, room)) entries.push(entry);
    if (entries.length > ENTRIES_MAX) throw tooMany(target, `more than ${ENTRIES_MAX} files`);
  }
  return entries;
}

async function listInput(source: OwnSource, target: string, room: number): Promise<LocalEntry[]> {
  switch (source.kind) {
    case 'content': {
      const bytes = Buffer.from(source.base64, 'base64');
      return [
        { kind: 'file', target, from: { kind: 'bytes', bytes }, mode: 0o444, bytes: bytes.length },
      ];
    }
    case 'remote':
      return [{ kind: 'remote', target, path: source.path }];
    case 'file':
      return [await fileEntry(source.path, target)];
    case 'directory':
      return walk({ path: source.path, target, room, depth: 0 });
  }
}

interface Tree {
  path: string;
  target: string;
  /** How many entries there may be. */
  room: number;
  depth: number;
}

async function walk({ path, target, room, depth }: Tree): Promise<LocalEntry[]> {
  const tooDeep = depth > DEPTH_MAX;
  if (tooDeep) throw tooMany(path, `directories nested more than ${DEPTH_MAX} deep`);
  const entries: LocalEntry[] = [{ kind: 'directory', target }];
  for (const child of await childrenOf(path, room)) {
    const below = { path: posix.join(path, child.name), target: posix.join(target, child.name) };
    const found = child.isDirectory()
      ? await walk({ ...below, room: room - entries.length, depth: depth + 1 })
      : [await fileEntry(below.path, below.target)];
    for (const entry of found) entries.push(entry);
    if (entries.length > room) throw tooMany(path, `more than ${ENTRIES_MAX} files`);
  }
  return entries;
}

/** Read one by one: a directory of a million names is not held in memory to be refused. */
async function childrenOf(path: string, room: number): Promise<Dirent[]> {
  const children: Dirent[] = [];
  await readable(path, async () => {
    for await (const child of await opendir(path)) {
      children.push(child);
      if (children.length > room) throw tooMany(path, `more than ${ENTRIES_MAX} files`);
    }
  });
  return children.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function tooMany(path: string, what: string): AppError {
  return new AppError('STAGE_LIMIT', `input ${path}: ${what}, which is more than a task may have`, {
    context: { path },
  });
}

async function fileEntry(path: string, target: string): Promise<LocalEntry> {
  const info = await readable(path, () => stat(path));
  if (!info.isFile()) {
    throw new AppError('STAGE_INPUT_UNREADABLE', `input ${path} is not a regular file`, {
      context: { path },
    });
  }
  const mode = info.mode & 0o111 ? 0o555 : 0o444;
  return { kind: 'file', target, from: { kind: 'path', path }, mode, bytes: info.size };
}

/** The bytes of an entry in order, from `offset`; hash is updated with all bytes, also those before it. */
export async function* bytesOf(
  from: LocalBytes,
  hash: import('node:crypto').Hash,
  offset = 0,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  const chunks =
    from.kind === 'bytes' ? [from.bytes] : createReadStream(from.path, { highWaterMark: 1 << 20 });
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    hash.update(chunk);
    const skip = Math.min(Math.max(0, offset - seen), chunk.length);
    seen += chunk.length;
    if (skip < chunk.length) yield chunk.subarray(skip);
  }
}

/** sha256 of an entry's bytes as lower-case hex. @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE */
export async function hashOf(from: LocalBytes): Promise<string> {
  const hash = createHash('sha256');
  const path = from.kind === 'path' ? from.path : 'inline content';
  return readable(path, async () => {
    for await (const chunk of bytesOf(from, hash)) void chunk;
    return hash.digest('hex');
  });
}

/** Checks at submit that the local inputs are there and can be read. @throws as listInputs */
export async function checkInputs(inputs: readonly InputSource[]): Promise<void> {
  for (const source of inputs) {
    if (source.kind !== 'file' && source.kind !== 'directory') continue;
    const info = await readable(source.path, () => stat(source.path));
    if (source.kind === 'directory' ? !info.isDirectory() : !info.isFile()) {
      const wanted = source.kind === 'directory' ? 'directory' : 'regular file';
      throw new AppError('STAGE_INPUT_UNREADABLE', `input ${source.path} is not a ${wanted}`, {
        context: { path: source.path },
      });
    }
  }
}

async function readable<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (isAppError(cause) || !(cause instanceof Error && 'code' in cause)) throw cause;
    const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
    throw new AppError(
      missing ? 'STAGE_INPUT_MISSING' : 'STAGE_INPUT_UNREADABLE',
      `input ${path} ${missing ? 'does not exist' : `cannot be read: ${cause.message}`}`,
      { context: { path }, cause },
    );
  }
}
