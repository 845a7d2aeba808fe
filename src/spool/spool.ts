/**
 * Local copies of what tasks print. What comes in: bytes of a stream at their offset. What goes out:
 * the same bytes, once and in order, to any number of followers, each at its own pace. The length of
 * a file is the offset to read from next; there is no second counter to disagree with it. Never here:
 * reading from hosts, deciding that a stream is complete. Read next: attempt.ts, follow.ts.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptToken, StreamName } from '../domain/task.ts';
import type { Attempt } from './attempt.ts';
import { readBootId } from './boot-id.ts';
import type { StreamCounts } from './checkpoint.ts';
import { diskError } from './disk-error.ts';
import { follow } from './follow.ts';
import { createRegistry, type Registry, TOKEN } from './registry.ts';
import { SYSTEM_TIMER, type Timer } from './timer.ts';

export interface FollowOptions {
  offset: number;
  /** Wait for more when the end of what there is has been reached. */
  follow: boolean;
  signal?: AbortSignal | undefined;
}

/** The streams of one attempt. Nothing is made on disk before there is something to keep. */
export interface AttemptSpool {
  /** The offset to read from next. */
  length(stream: StreamName): Promise<number>;
  /**
   * Adds bytes at the end; `offset` says where the caller believes that to be, anything else is a bug.
   * After an error the length must be asked again: what the disk may have lost is cut off.
   * @throws STORE_FULL; STORE_IO when the file cannot be written or synced.
   */
  append(stream: StreamName, offset: number, bytes: Uint8Array): Promise<void>;
  /** Marks both streams whole, on disk. Counts other than the lengths are a bug. @throws as append */
  seal(counts: StreamCounts): Promise<void>;
  /** True when both streams were sealed. */
  isComplete(): Promise<boolean>;
  /**
   * The bytes from `offset` on, in chunks of at most 256 KiB. Ends when the attempt has ended and all
   * was given (`follow: false`: when all there is now was given).
   * @throws the signal's reason when aborted; DAEMON_STOPPING when the spool is closed meanwhile;
   * TASK_NOT_FOUND when the attempt's files are removed meanwhile.
   */
  follow(stream: StreamName, options: FollowOptions): AsyncIterableIterator<Buffer>;
}

export interface Spool {
  attempt(token: AttemptToken): AttemptSpool;
  /** No more bytes will come, whether or not the streams are whole: followers end. Kept over restarts. */
  end(token: AttemptToken): Promise<void>;
  /** Deletes the attempt's files. */
  remove(token: AttemptToken): Promise<void>;
  /** What the files hold. */
  bytes(token: AttemptToken): Promise<StreamCounts>;
  /** The attempts that have files, whoever made them. */
  tokens(): Promise<AttemptToken[]>;
  /** Checkpoints what is new, ends followers and closes all files. */
  close(): Promise<void>;
}

export interface SpoolOptions {
  stateDir: string;
  /** This boot of the submit host; another one than a checkpoint's means that memory was lost. */
  bootId?: string;
  /** The files are not our own: they are shown as far as they are known to be whole, and never changed. */
  readOnly?: boolean;
  /** New bytes of an attempt after which they are synced. */
  checkpointBytes?: number;
  /** Time after which new bytes are synced however few they are. */
  checkpointAfterMs?: number;
  /** Time after which a file that nobody uses is closed. */
  idleMs?: number;
  timer?: Timer;
}

/** The spool of a state directory. One process at a time (lockStateDir). */
export function openSpool(options: SpoolOptions): Spool {
  const registry = createRegistry(join(options.stateDir, 'spool'), {
    bootId: options.bootId ?? readBootId(),
    readOnly: options.readOnly ?? false,
    checkpointBytes: options.checkpointBytes ?? 8 * 1024 * 1024,
    checkpointAfterMs: options.checkpointAfterMs ?? 5_000,
    idleMs: options.idleMs ?? 10_000,
    timer: options.timer ?? SYSTEM_TIMER,
  });
  return {
    attempt: (token) => attemptSpool(registry, token),
    end: (token) => registry.use(token, (attempt) => attempt.finish('ended')),
    remove: (token) => registry.remove(token),
    bytes: (token) => registry.use(token, async (attempt) => (await attempt.ready()).lengths),
    tokens: () => tokensIn(join(options.stateDir, 'spool')),
    close: () => registry.close(),
  };
}

async function tokensIn(root: string): Promise<AttemptToken[]> {
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw diskError(error, root);
  });
  return names.filter((name) => TOKEN.test(name)) as AttemptToken[];
}

function attemptSpool(registry: Registry, token: AttemptToken): AttemptSpool {
  const use = <T>(act: (attempt: Attempt) => Promise<T>) => registry.use(token, act);
  return {
    length: (stream) => use(async (attempt) => (await attempt.ready()).lengths[stream]),
    append: (stream, offset, bytes) => use((attempt) => attempt.append(stream, offset, bytes)),
    seal: (counts) => use((attempt) => attempt.finish('sealed', counts)),
    isComplete: () => use(async (attempt) => (await attempt.ready()).end === 'sealed'),
    follow: (stream, options) => follow(registry, { ...options, token, stream }),
  };
}
