/** Has a host keep what a task made for others: its files become objects of the content store there. */
import { posix } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import type { KeptEntry, KeptOutputs } from '../../domain/state.ts';
import type { AttemptToken, Task } from '../../domain/task.ts';
import type { DirectoryEntry } from '../../remote/host.ts';
import { keepText, parseKeep } from '../../script/kept.ts';
import type { Seat } from '../seats.ts';
import { MAX_FILES } from '../staging/match-outputs.ts';
import { type Named, namedBelow } from '../staging/named-below.ts';

/** What a host answers at once is bounded. */
const FILES_A_RUN = 1000;

interface KeepJob {
  daemonId: string;
  task: Task;
  seat: Seat;
  token: AttemptToken;
  root: string;
  workDir: string;
  nonce: string;
  signal: AbortSignal;
  list: (directory: string) => Promise<DirectoryEntry[]>;
  /** Told of links and special files. */
  passOver: (names: string[]) => void;
}

/** @throws OUTPUT_MISSING OUTPUT_LIMIT OUTPUT_UNSAFE SFTP_* SSH_* */
export async function keepOutputs(job: KeepJob): Promise<KeptOutputs | undefined> {
  const { task, seat, token, root } = job;
  if (task.spec.share === undefined || task.spec.share.length === 0) return undefined;
  const named = await findAll(job, task.spec.share);
  const files = named.filter(({ kind }) => kind === 'file');
  const entries: KeptEntry[] = named
    .filter(({ kind }) => kind === 'directory')
    .map(({ path }) => ({ kind: 'directory', path }));
  for (let from = 0; from < files.length; from += FILES_A_RUN) {
    entries.push(...(await keepSome(job, files.slice(from, from + FILES_A_RUN))));
  }
  return { host: seat.name, root, token, entries };
}

async function findAll(job: KeepJob, patterns: readonly string[]): Promise<Named[]> {
  const found = new Map<string, Named>();
  for (const pattern of patterns) {
    const named = await namedBelow(pattern, job.list, job.passOver);
    if (named === undefined) throw missing(job, pattern);
    for (const one of named) found.set(one.path, one);
    if (found.size > MAX_FILES) throw tooMany(job);
  }
  return [...found.values()];
}

async function keepSome(job: KeepJob, files: readonly Named[]): Promise<KeptEntry[]> {
  const { seat, token, root, daemonId, workDir, nonce, signal } = job;
  const paths = files.map(({ path }) => posix.join(workDir, path));
  const reply = await seat.host.run(keepText({ root, daemonId, token }, nonce, paths), {
    purpose: `keeping outputs of ${token}`,
    lane: 'slow',
    deadlineMs: 3_600_000,
    signal,
  });
  const kept = parseKeep(reply.output, { host: seat.name, count: paths.length });
  return files.map(({ path, bytes }, index): KeptEntry => {
    const file = kept[index];
    if (file !== undefined) return { kind: 'file', path, bytes, ...file };
    const why = `output ${path} of task ${job.task.id} cannot be read on ${seat.name}`;
    throw new AppError('SFTP_DENIED', why, { context: { host: seat.name } });
  });
}

function missing({ task, seat, workDir }: KeepJob, pattern: string): AppError {
  const why = `output ${pattern} of task ${task.id}, to be shared with other tasks, was not produced`;
  return new AppError('OUTPUT_MISSING', why, {
    context: { task: task.id, host: seat.name, workDir },
  });
}

function tooMany({ task, seat }: KeepJob): AppError {
  const why = `task ${task.id} shares more than ${MAX_FILES} files`;
  return new AppError('OUTPUT_LIMIT', why, { context: { task: task.id, host: seat.name } });
}
