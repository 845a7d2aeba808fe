/**
 * Inputs that another task has made. On its own host they are objects of the store already; to another host
 * they go from there through the daemon, kept nowhere in between.
 */
import { posix } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import type { KeptOutputs } from '../../domain/state.ts';
import type { Input, InputSource, Task } from '../../domain/task.ts';
import { heldFile } from '../../script/kept.ts';
import { type TakenFile, takeOutput } from '../kept-outputs.ts';
import type { Ledger } from '../ledger.ts';
import type { Seat, Seats } from '../seats.ts';
import { SourceTrouble } from '../source-trouble.ts';
import { hashOf, type LocalEntry, listInputs } from '../staging/local-inputs.ts';
import { streamBetween } from '../stream-between.ts';

export interface TakenInput extends Input {
  source: Extract<InputSource, { kind: 'output' }>;
}

/** A file that is on the host where it was made. */
export interface TakenEntry {
  kind: 'taken';
  target: string;
  sha256: string;
  mode: number;
  bytes: number;
  /** For messages. */
  label: string;
  producer: string;
  place: Omit<KeptOutputs, 'entries'>;
}

/** @throws STAGE_OUTPUT_MISSING TASK_NOT_FOUND STAGE_INPUT_* */
export async function listTaken(
  inputs: readonly TakenInput[],
  ledger: Pick<Ledger, 'find'>,
): Promise<(LocalEntry | TakenEntry)[]> {
  const entries: (LocalEntry | TakenEntry)[] = [];
  for (const { source, target } of inputs) {
    const task = await ledger.find(source.task);
    for (const taken of await takeOutput(task, source.path)) {
      const at = {
        task,
        label: `workflow:///${task.id}/${source.path}`,
        target: below(target, taken),
      };
      entries.push(
        taken.kind === 'directory'
          ? { kind: 'directory', target: at.target }
          : await entryOf(taken, at),
      );
    }
  }
  return withoutTwins(entries);
}

function below(target: string, { relative }: { relative: string }): string {
  return relative === '' ? target : posix.join(target, relative);
}

async function entryOf(
  { sha256, bytes, kept, local = '' }: TakenFile,
  { task, label, target }: { task: Task; label: string; target: string },
): Promise<LocalEntry | TakenEntry> {
  if (kept !== undefined) {
    const { mode, place } = kept;
    return { kind: 'taken', target, sha256, mode, bytes, label, producer: task.id, place };
  }
  const [entry] = await listInputs([{ source: { kind: 'file', path: local }, target }]);
  if (entry?.kind !== 'file' || (await hashOf(entry.from)) !== sha256) {
    throw gone(label, task.id, `${local} was changed since task ${task.id} made it`);
  }
  return entry;
}

/** Several references may mean the same file at the same place. */
function withoutTwins(entries: (LocalEntry | TakenEntry)[]): (LocalEntry | TakenEntry)[] {
  const byTarget = new Map<string, LocalEntry | TakenEntry>();
  return entries.filter((entry) => {
    const twin = byTarget.get(entry.target);
    byTarget.set(entry.target, entry);
    const isSame = twin?.kind === 'taken' && entry.kind === 'taken' && twin.sha256 === entry.sha256;
    return !isSame;
  });
}

/** On which host it is, and where there. */
export function placeOfTaken(entry: TakenEntry, daemonId: string): { host: string; path: string } {
  const { place } = entry;
  return { host: place.host, path: heldFile({ ...place, daemonId }, entry) };
}

export interface TakenTransfer {
  seats: Seats;
  daemonId: string;
  /** Where it goes. */
  seat: Seat;
  part: string;
  offset: number;
  onProgress: (bytesDone: number) => void;
  signal: AbortSignal;
}

/** @throws STAGE_OUTPUT_MISSING, and what either host fails with */
export async function sendTaken(
  { seats, daemonId, part, offset, ...wish }: TakenTransfer,
  entry: TakenEntry,
): Promise<void> {
  const { place, label, producer, bytes: size } = entry;
  const { host, path } = placeOfTaken(entry, daemonId);
  const source = seats.get(host);
  try {
    await streamBetween(wish, { source, path, size, target: part, offset });
  } catch (thrown) {
    if (!(thrown instanceof SourceTrouble)) throw thrown;
    if (thrown.error.code !== 'SFTP_NOT_FOUND') throw thrown.error;
    throw gone(label, producer, `host ${place.host} does not have it any more`);
  }
}

function gone(label: string, producer: string, why: string): AppError {
  return new AppError('STAGE_OUTPUT_MISSING', `${label}: ${why}`, { context: { producer } });
}
