/**
 * Brings a task's inputs to its host: each file is an object of the content store there, sent once
 * per host whatever number of tasks use it, verified by hash before it gets its name.
 */
import { createHash } from 'node:crypto';
import pRetry from 'p-retry';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { StagedFile, StagedInputs } from '../../domain/state.ts';
import type { Input, TaskId, TaskSpec } from '../../domain/task.ts';
import { placeInputs } from '../../script/input-places.ts';
import {
  dropPartText,
  haveObjectsText,
  type ObjectPlace,
  objectName,
  parseHaveObjects,
  parsePublishObject,
  partPath,
  publishObjectText,
} from '../../script/objects.ts';
import type { Step } from '../dispatcher.ts';
import type { Ledger } from '../ledger.ts';
import type { ReadyFacts, Seat, Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import {
  bytesOf,
  hashOf,
  type LocalBytes,
  type LocalEntry,
  listInputs,
  type OwnInput,
} from '../staging/local-inputs.ts';
import { together } from '../together.ts';
import { listTaken, sendTaken, type TakenEntry, type TakenInput } from './taken-inputs.ts';

const UPLOAD_TRIES = 4;

interface StageDeps {
  seats: Seats;
  ledger: Pick<Ledger, 'find'>;
  daemonId: string;
  onProgress: (task: TaskId, progress: Progress) => void;
}

interface ObjectToSend {
  sha256: string;
  mode: number;
  from: LocalBytes | TakenEntry;
  bytes: number;
  label: string;
}

export function createStageIn(deps: StageDeps): Step {
  return async ({ task, attempt, signal }) => {
    if (task.state.kind !== 'staging') throw new Error(`staging while ${task.state.kind}`);
    const seat = deps.seats.get(task.state.host);
    const facts = await seat.ready();
    const { own, taken } = sorted(withStdin(task.spec));
    const entries = [...(await listInputs(own)), ...(await listTaken(taken, deps.ledger))];
    const objects = await hashEntries(entries);
    const job: SendJob = { deps, seat, facts, signal, report: progressOf(deps, task.id, objects) };
    const inputs = describe(entries, objects, task.spec);
    // What cannot be placed is told now: a launch never gives up by an error of its own.
    placeInputs(inputs.files);
    await sendMissing(job, [...objects.values()]);
    return { kind: 'staged', attempt, inputs };
  };
}

const STDIN_TARGET = '\0stdin';

type Entry = LocalEntry | TakenEntry;

function sorted(inputs: readonly Input[]): { own: OwnInput[]; taken: TakenInput[] } {
  const own: OwnInput[] = [];
  const taken: TakenInput[] = [];
  for (const { source, target } of inputs) {
    if (source.kind === 'output') taken.push({ source, target });
    else own.push({ source, target });
  }
  return { own, taken };
}

/** Standard input is one more object, told apart by a target no path can have. */
function withStdin(spec: TaskSpec): Input[] {
  if (spec.stdin === undefined || spec.stdin.kind === 'remote') return spec.inputs;
  return [...spec.inputs, { source: spec.stdin, target: STDIN_TARGET }];
}

async function hashEntries(entries: Entry[]): Promise<Map<Entry, ObjectToSend>> {
  const objects = new Map<Entry, ObjectToSend>();
  for (const entry of entries) {
    if (entry.kind === 'taken') objects.set(entry, { ...entry, from: entry });
    if (entry.kind !== 'file') continue;
    const sha256 = await hashOf(entry.from);
    const label = entry.from.kind === 'path' ? entry.from.path : `content of ${entry.target}`;
    objects.set(entry, { sha256, mode: entry.mode, from: entry.from, bytes: entry.bytes, label });
  }
  return objects;
}

interface SendJob {
  deps: StageDeps;
  seat: Seat;
  facts: ReadyFacts;
  signal: AbortSignal;
  report: (object: ObjectToSend, bytesDone: number) => void;
}

async function sendMissing(job: SendJob, objects: ObjectToSend[]): Promise<void> {
  const byName = new Map(objects.map((object) => [objectName(object.sha256, object.mode), object]));
  if (byName.size === 0) return;
  const { seat, facts, signal } = job;
  const names = [...byName.keys()];
  const text = haveObjectsText({ root: facts.root, daemonId: job.deps.daemonId, names });
  const reply = await seat.host.run(text, { purpose: 'looking for staged inputs', signal });
  const there = parseHaveObjects(reply.output, { host: seat.name, names });
  const missing = [...byName].filter(([name]) => !there.present.has(name));
  await together(missing, signal, ([name, object], own) =>
    seat.share(`object ${name}`, own, (shared) =>
      seat.transfers.add(() => send({ ...job, signal: shared }, object)),
    ),
  );
}

/** Sends one object, resuming what an earlier try left, until the far side has exactly its bytes. */
async function send(job: SendJob, object: ObjectToSend): Promise<void> {
  const { signal } = job;
  signal.throwIfAborted();
  await pRetry(() => sendOnce(job, object), {
    retries: UPLOAD_TRIES - 1,
    minTimeout: 100,
    maxTimeout: 2_000,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => isAppError(error) && MISMATCHES.has(error.code),
  });
}

const MISMATCHES: ReadonlySet<string> = new Set(['STAGE_INPUT_CHANGED', 'STAGE_CHECKSUM_MISMATCH']);

async function sendOnce(job: SendJob, object: ObjectToSend): Promise<void> {
  const { seat, facts, signal } = job;
  const { sha256, mode } = object;
  const place = { root: facts.root, daemonId: job.deps.daemonId, sha256, mode };
  const part = partPath(place);
  const offset = await partSize(job, object);
  await sendBytes(job, object, { part, offset }).catch((error: unknown) =>
    makeRoom(job, place, error),
  );
  const reply = await seat.host.run(publishObjectText(place), {
    purpose: `checking ${object.label} on the host`,
    lane: 'slow',
    signal,
  });
  const verdict = parsePublishObject(reply.output, { host: seat.name });
  if (verdict.kind === 'published') return;
  throw new AppError(
    verdict.kind === 'nospace' ? 'HOST_NO_SPACE' : 'STAGE_CHECKSUM_MISMATCH',
    verdict.kind === 'nospace'
      ? `host ${seat.name} has no space left for input ${object.label}`
      : `input ${object.label}: the bytes on host ${seat.name} are not the bytes sent`,
    { context: { host: seat.name, path: object.label } },
  );
}

async function sendBytes(
  job: SendJob,
  object: ObjectToSend,
  { part, offset }: { part: string; offset: number },
): Promise<void> {
  const { deps, seat, signal } = job;
  const { from, sha256, label } = object;
  const onProgress = (bytes: number): void => job.report(object, bytes);
  if (from.kind === 'taken') {
    return sendTaken({ ...deps, seat, part, offset, onProgress, signal }, from);
  }
  const hash = createHash('sha256');
  await seat.host.upload(bytesOf(from, hash, offset), part, { offset, onProgress, signal });
  if (hash.digest('hex') === sha256) return;
  throw new AppError('STAGE_INPUT_CHANGED', `input ${label} changed while it was sent`, {
    context: { path: label, host: seat.name },
  });
}

/** A part that does not fit, or that nobody wants any more, is no start for a later try: it only keeps others from the disk. */
async function makeRoom(job: SendJob, place: ObjectPlace, error: unknown): Promise<never> {
  const { aborted, reason } = job.signal;
  // a daemon that stops says so, and the next one goes on from there
  const isGivenUp = aborted && !isAppError(reason);
  if (isGivenUp || (isAppError(error) && error.code === 'HOST_NO_SPACE')) {
    const purpose = 'removing a part that is in the way';
    await job.seat.host.run(dropPartText(place), { purpose }).catch(() => {});
  }
  throw error;
}

/** What an interrupted upload of the same object left behind; its bytes are judged by the final hash. */
async function partSize(job: SendJob, object: ObjectToSend): Promise<number> {
  const { seat, facts, signal } = job;
  const name = objectName(object.sha256, object.mode);
  const text = haveObjectsText({ root: facts.root, daemonId: job.deps.daemonId, names: [name] });
  const reply = await seat.host.run(text, { purpose: 'looking for a part of an input', signal });
  const there = parseHaveObjects(reply.output, { host: seat.name, names: [name] });
  return Math.min(there.partBytes.get(name) ?? 0, object.bytes);
}

function describe(
  entries: Entry[],
  objects: Map<Entry, ObjectToSend>,
  spec: TaskSpec,
): StagedInputs {
  const files: StagedFile[] = [];
  let stdin: StagedInputs['stdin'];
  for (const entry of entries) {
    const object = objects.get(entry);
    if (object !== undefined) {
      const { sha256, mode, bytes } = object;
      if (entry.target === STDIN_TARGET) stdin = { sha256, mode };
      else files.push({ kind: 'object', sha256, mode, target: entry.target, bytes });
    } else if (entry.kind === 'directory') files.push({ kind: 'directory', target: entry.target });
    else if (entry.kind === 'remote') {
      files.push({ kind: 'remote', path: entry.path, target: entry.target });
    }
  }
  if (spec.stdin?.kind === 'remote') {
    throw new AppError('TASK_INVALID', 'stdin cannot be a path on the host', { context: {} });
  }
  return { files, stdin };
}

function progressOf(
  deps: StageDeps,
  task: TaskId,
  objects: Map<Entry, ObjectToSend>,
): SendJob['report'] {
  const bytesTotal = [...objects.values()].reduce((sum, object) => sum + object.bytes, 0);
  const done = new Map<string, number>();
  return (object, bytes) => {
    done.set(object.sha256, bytes);
    const bytesDone = [...done.values()].reduce((sum, part) => sum + part, 0);
    deps.onProgress(task, { step: 'stage', what: object.label, bytesDone, bytesTotal });
  };
}
