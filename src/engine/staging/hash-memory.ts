/**
 * Hashes of local files, remembered by what the file system tells of each: the same tree, staged again, is not
 * read again. A file that was changed just before it was read is not remembered: it could be changed once
 * more without any sign of it, since times are only so fine.
 */
import { hash } from 'node:crypto';
import type { FileHash, Store } from '../../store/store.ts';
import { askDisk } from '../disk/disk.ts';
import type { HashedFile } from '../disk/read-files.ts';
import type { LocalBytes } from './local-inputs.ts';

/** FAT tells times by two seconds, and the clock of a file server may be somewhat wrong. */
const SETTLED_MS = 5_000;
const REMEMBERED_MAX = 100_000;
/** What is hashed by one question, so that others have their turn between. */
const GROUP_FILES = 256;
const GROUP_BYTES = 16 * 1024 * 1024;

interface File {
  from: LocalBytes;
  bytes: number;
}

/** sha256 of each as lower-case hex. @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE */
export type HashLocal = (files: readonly File[]) => Promise<string[]>;

type HashNow = (files: readonly { path: string; bytes: number }[]) => Promise<HashedFile[]>;

/** A file that was listed before it is hashed. */
interface Listed {
  key: string;
  path: string;
  bytes: number;
  changedMs: number;
}

/** What is known beyond the life of this daemon. */
export type KnownHashes = Pick<Store, 'knownHashes' | 'rememberHashes'>;

export function createHashMemory(
  store: KnownHashes,
  now: () => number = Date.now,
  hashNow: HashNow = (files) => askDisk('hashFiles', [files]),
): HashLocal {
  const known = new Map<string, string>();
  const running = new Map<string, Promise<string>>();

  function keep(hashes: readonly FileHash[]): void {
    for (const { identity, sha256 } of hashes) known.set(identity, sha256);
    while (known.size > REMEMBERED_MAX) known.delete(known.keys().next().value ?? '');
  }

  /** What an earlier daemon has read, and nobody has changed. */
  async function recall(files: readonly File[]): Promise<void> {
    const keys = files.flatMap((file) => listedOf(file)?.key ?? []);
    const strange = keys.filter((key) => !known.has(key) && !running.has(key));
    if (strange.length > 0) keep(await store.knownHashes(strange));
  }

  async function read(group: readonly Listed[]): Promise<string[]> {
    const began = now();
    const hashed = await hashNow(group.map(({ path, bytes }) => ({ path, bytes })));
    const settled = group.flatMap(({ key: identity, changedMs }, index) => {
      const one = hashed[index];
      const isSettled = began - changedMs > SETTLED_MS && one?.identity === identity;
      return isSettled ? [{ identity, sha256: one.sha256 }] : [];
    });
    keep(settled);
    // without it they are hashed once more by the next daemon
    if (settled.length > 0) store.rememberHashes(settled).catch(() => {});
    return hashed.map(({ sha256 }) => sha256);
  }

  function begin(files: readonly Listed[]): void {
    for (const group of groupsOf(files)) {
      const reading = read(group);
      for (const [index, { key }] of group.entries()) {
        const one = reading
          .then((sums) => sums[index] ?? '')
          .finally(() => void running.delete(key));
        // whoever waits for it is told
        one.catch(() => {});
        running.set(key, one);
      }
    }
  }

  return async (files) => {
    await recall(files);
    const missing = new Map<string, Listed>();
    const keys = files.map((file) => {
      const listed = listedOf(file);
      if (listed === undefined) return undefined;
      const { key } = listed;
      const sha256 = known.get(key);
      if (sha256 === undefined) {
        // Several tasks that want one file at once read it once.
        if (!running.has(key)) missing.set(key, listed);
      } else {
        // what was asked for last goes last
        known.delete(key);
        known.set(key, sha256);
      }
      return key;
    });
    begin([...missing.values()]);
    return Promise.all(
      files.map(async ({ from, bytes }, index) => {
        const key = keys[index];
        if (from.kind === 'bytes') return hash('sha256', from.bytes);
        if (key !== undefined) return known.get(key) ?? running.get(key) ?? '';
        const [one] = await hashNow([{ path: from.path, bytes }]);
        return one?.sha256 ?? '';
      }),
    );
  };
}

function listedOf({ from, bytes }: File): Listed | undefined {
  if (from.kind !== 'path' || from.seen === undefined) return undefined;
  const { identity: key, changedMs } = from.seen;
  return { key, path: from.path, bytes, changedMs };
}

function groupsOf(files: readonly Listed[]): Listed[][] {
  const groups: Listed[][] = [];
  let room = 0;
  for (const file of files) {
    if (file.bytes > room || (groups.at(-1)?.length ?? GROUP_FILES) >= GROUP_FILES) {
      groups.push([]);
      room = GROUP_BYTES;
    }
    groups.at(-1)?.push(file);
    room -= file.bytes;
  }
  return groups;
}
