/**
 * The known_hosts file that Towline writes itself. Every other such file belongs to somebody else and is
 * only read. Written whole or not at all, mode 0600; one writer at a time, since all hosts share it.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import PQueue from 'p-queue';
import { writeDurably } from '../../spool/write-durably.ts';
import type { PinnedKey } from './known-hosts.ts';

export type PublicKey = Pick<PinnedKey, 'type' | 'blob'>;

export interface PinChange {
  /** As pinName() gives it. */
  name: string;
  add: readonly PublicKey[];
  /** Says of each key that is there for this name whether it stays. */
  keep: (key: PublicKey) => boolean;
  /** Stands behind each new key. */
  comment: string;
}

const writers = new Map<string, PQueue>();

/** Changes the lines of one host. Errors are those of the disk. */
export async function changePins(path: string, change: PinChange): Promise<void> {
  const queue = writers.get(path) ?? new PQueue({ concurrency: 1 });
  writers.set(path, queue);
  await queue.add(async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const before = await readOrEmpty(path);
    const after = rewritePins(before, change);
    if (after !== before) await writeDurably(path, Buffer.from(after));
  });
}

/** The text with the lines of one host changed; all other lines stay as they are. Pure. */
export function rewritePins(text: string, { name, add, keep, comment }: PinChange): string {
  const there = new Set<string>();
  const kept = text.split('\n').filter((line) => {
    if (line.trim() === '') return false;
    const [host, type = '', base64 = ''] = line.trim().split(/[ \t]+/);
    if (host !== name) return true;
    const stays = keep({ type, blob: Buffer.from(base64, 'base64') });
    if (stays) there.add(base64);
    return stays;
  });
  const added = add
    .map(({ type, blob }) => ({ type, base64: blob.toString('base64') }))
    .filter(({ base64 }) => !there.has(base64))
    .map(({ type, base64 }) => `${name} ${type} ${base64} ${comment}`);
  const lines = [...kept, ...new Set(added)];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
