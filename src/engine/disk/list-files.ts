/**
 * Every file of a local input with its place, mode and size, as the thread of the disk finds them. Directories are walked;
 * links to files are followed, links to directories are not (they could loop).
 */
import { type BigIntStats, type Dirent, opendirSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import { readable } from './readable.ts';

/** What the file system told of a file when it was listed. */
export interface Seen {
  /** Another one after every change that it knows of. */
  identity: string;
  changedMs: number;
}

export type ListedEntry =
  | {
      kind: 'file';
      target: string;
      from: { kind: 'path'; path: string; seen: Seen };
      mode: number;
      bytes: number;
    }
  | { kind: 'directory'; target: string };

/** Each is a line of the launch and a name on the host. */
export const ENTRIES_MAX = 20_000;
const DEPTH_MAX = 64;
const NAMES_AT_ONCE = 512;

/** A file, or a directory with at most `room` entries. @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE STAGE_LIMIT */
export function listFiles(
  source: { kind: 'file' | 'directory'; path: string },
  target: string,
  room: number,
): ListedEntry[] {
  if (source.kind === 'file') return [fileEntry(source.path, target)];
  const entries: ListedEntry[] = [];
  walk({ path: source.path, target, room, depth: 0 }, entries);
  return entries;
}

interface Tree {
  path: string;
  target: string;
  /** How many entries there may be. */
  room: number;
  depth: number;
}

function walk({ path, target, room, depth }: Tree, entries: ListedEntry[]): void {
  if (depth > DEPTH_MAX) throw tooMany(path, `directories nested more than ${DEPTH_MAX} deep`);
  entries.push({ kind: 'directory', target });
  for (const child of childrenOf(path, room - entries.length)) {
    const at = { path: posix.join(path, child.name), target: posix.join(target, child.name) };
    if (child.isDirectory()) walk({ ...at, room, depth: depth + 1 }, entries);
    else entries.push(fileEntry(at.path, at.target));
    if (entries.length > room) throw tooMany(path, `more than ${ENTRIES_MAX} files`);
  }
}

/** Read one by one: a directory of a million names is not held in memory to be refused. */
function childrenOf(path: string, room: number): Dirent[] {
  const children: Dirent[] = [];
  readable(path, () => {
    using directory = opendirSync(path, { bufferSize: NAMES_AT_ONCE });
    for (let child = directory.readSync(); child !== null; child = directory.readSync()) {
      children.push(child);
      if (children.length > room) throw tooMany(path, `more than ${ENTRIES_MAX} files`);
    }
  });
  return children.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export function tooMany(path: string, what: string): AppError {
  return new AppError('STAGE_LIMIT', `input ${path}: ${what}, which is more than a task may have`, {
    context: { path },
  });
}

export function seenOf({ dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs }: BigIntStats): Seen {
  const identity = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  return { identity, changedMs: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) };
}

function fileEntry(path: string, target: string): ListedEntry {
  const info = readable(path, () => statSync(path, { bigint: true }));
  if (!info.isFile()) {
    throw new AppError('STAGE_INPUT_UNREADABLE', `input ${path} is not a regular file`, {
      context: { path },
    });
  }
  const mode = Number(info.mode) & 0o111 ? 0o555 : 0o444;
  const from = { kind: 'path', path, seen: seenOf(info) } as const;
  return { kind: 'file', target, from, mode, bytes: Number(info.size) };
}
