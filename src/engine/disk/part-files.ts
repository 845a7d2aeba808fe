/**
 * Files on their way to their names on the submit host, as the thread of the disk handles them: a part is opened, filled,
 * hashed as it grows, put on disk and named. Synchronous on purpose: for a small file a promise costs more than the call.
 */
import { createHash, type Hash, hash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  fchmodSync,
  fdatasync,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';

/** Which file it is: under its name another could stand by now. */
export interface FileIdentity {
  dev: bigint;
  ino: bigint;
  size: bigint;
}

interface OpenPart {
  path: string;
  file: number;
  hash: Hash;
  unsynced: number;
  syncing: Promise<void> | undefined;
}

/** Written back so early that the sync at the end finds little to do. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

const parts = new Map<number, OpenPart>();
let opened = 0;

export function openPart(path: string): number {
  opened += 1;
  const file = create(path);
  const part = { path, file, hash: createHash('sha256'), unsynced: 0, syncing: undefined };
  parts.set(opened, part);
  return opened;
}

export function appendPart(id: number, bytes: Uint8Array): void {
  const part = partOf(id);
  writeAll(part.file, bytes);
  part.hash.update(bytes);
  part.unsynced += bytes.byteLength;
  if (part.unsynced < SYNC_EVERY_BYTES || part.syncing !== undefined) return;
  part.unsynced = 0;
  // a failure is met by the sync at the end
  part.syncing = promisify(fdatasync)(part.file)
    .catch(() => {})
    .finally(() => (part.syncing = undefined));
}

/** On disk, whole, with its mode; gives what was written. */
export async function endPart(id: number, mode: number): Promise<{ sha256: string }> {
  const part = partOf(id);
  // By the handle: the name could be a link to something else by now.
  fchmodSync(part.file, mode);
  await part.syncing;
  await promisify(fsync)(part.file);
  refuseExchanged(part.path, fstatSync(part.file, { bigint: true }));
  const sha256 = part.hash.digest('hex');
  await closePart(id);
  return { sha256 };
}

/** Once it was ended there is nothing to close. */
export async function closePart(id: number): Promise<void> {
  const part = parts.get(id);
  if (part === undefined) return;
  parts.delete(id);
  await part.syncing;
  // A quota of a network file system is told here.
  closeSync(part.file);
}

function partOf(id: number): OpenPart {
  const part = parts.get(id);
  if (part === undefined) throw new Error(`no part ${id} is open`);
  return part;
}

export interface SmallPart {
  path: string;
  mode: number;
  /** Where in the bytes that come along. */
  at: number;
  length: number;
}

export interface WrittenPart {
  sha256: string;
  identity: FileIdentity;
}

/** Writes many small parts; they are not on disk yet. */
export function writeParts(wanted: readonly SmallPart[], bytes: Uint8Array): WrittenPart[] {
  return wanted.map(({ path, mode, at, length }) => {
    const own = bytes.subarray(at, at + length);
    const file = create(path);
    try {
      writeAll(file, own);
      fchmodSync(file, mode);
      return {
        sha256: hash('sha256', own),
        identity: identityOf(fstatSync(file, { bigint: true })),
      };
    } finally {
      closeSync(file);
    }
  });
}

export interface NamedPart {
  path: string;
  local: string;
  identity: FileIdentity;
  overwrite: boolean;
}

/** Gives parts their names, as far as it goes: the rest is told by its index. */
export function nameParts(wanted: readonly NamedPart[]): void {
  for (const [index, { path, local, identity, overwrite }] of wanted.entries()) {
    try {
      refuseExchanged(path, identity);
      if (overwrite) renameSync(path, local);
      else linkSync(path, local);
    } catch (error) {
      throw Object.assign(error as Error, { index });
    }
  }
}

/** What stands at each name: links are followed, as whoever reads it would. */
export function lookAt(paths: readonly string[]): ('nothing' | 'file' | 'other')[] {
  return paths.map((path) => {
    try {
      const info = statSync(path, { throwIfNoEntry: false });
      if (info !== undefined) return info.isFile() ? 'file' : 'other';
      return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'nothing' : 'other';
    } catch {
      return 'other';
    }
  });
}

export function removeFiles(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}

/** Whatever an earlier try left, or somebody else put there, is not written to. */
function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    rmSync(path, { force: true });
    return openSync(path, 'wx', 0o600);
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
}

function identityOf({ dev, ino, size }: BigIntStats): FileIdentity {
  return { dev, ino, size };
}

/** In a directory that others write to, another file may have taken the name of ours. */
function refuseExchanged(path: string, ours: FileIdentity): void {
  const there = lstatSync(path, { bigint: true });
  if (there.ino === ours.ino && there.dev === ours.dev && there.size === ours.size) return;
  throw new Error('its temporary file was exchanged for another');
}
