/**
 * What a task's inputs are made of on the submit host: every file with its target, mode and hash.
 * Directories are walked; links to files are followed, links to directories are not (they could
 * loop). The hash is of the bytes read now; what is sent is held against it by the host.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { AppError } from '../../domain/failure.ts';
import type { Input, InputSource } from '../../domain/task.ts';
import { askDisk } from '../disk/disk.ts';
import { ENTRIES_MAX, type Seen, tooMany } from '../disk/list-files.ts';
import { unreadable } from '../disk/readable.ts';

export type LocalBytes =
  | { kind: 'path'; path: string; seen?: Seen }
  | { kind: 'bytes'; bytes: Buffer };

/** Neither of another task nor of a storage. */
export type OwnSource = Exclude<InputSource, { kind: 'output' } | { kind: 'url' }>;

export interface OwnInput extends Input {
  source: OwnSource;
}

export type LocalEntry =
  | { kind: 'file'; target: string; from: LocalBytes; mode: number; bytes: number }
  | { kind: 'directory'; target: string }
  | { kind: 'remote'; target: string; path: string };

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
    case 'directory':
      return askDisk('listFiles', [source, target, room]);
  }
}

/** The bytes of an entry in order, from `offset`. */
export async function* bytesOf(from: LocalBytes, offset = 0): AsyncGenerator<Uint8Array> {
  if (from.kind === 'bytes') {
    if (offset < from.bytes.length) yield from.bytes.subarray(offset);
  } else yield* createReadStream(from.path, { start: offset, highWaterMark: 1 << 20 });
}

/** sha256 of an entry's bytes as lower-case hex. @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE */
export async function hashOf(from: LocalBytes): Promise<string> {
  const hash = createHash('sha256');
  const path = from.kind === 'path' ? from.path : 'inline content';
  return readable(path, async () => {
    for await (const chunk of bytesOf(from)) hash.update(chunk);
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
    throw unreadable(path, cause);
  }
}
