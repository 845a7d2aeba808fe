/** One input on its way to the content store of a host, in a part of its own that an interrupted try leaves for the next one. */
import pRetry from 'p-retry';
import { AppError, isAppError } from '../../domain/failure.ts';
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
import type { ReadyFacts, Seat, Seats } from '../seats.ts';
import { bytesOf, hashOf, type LocalBytes } from '../staging/local-inputs.ts';
import { sendTaken, type TakenEntry } from './taken-inputs.ts';

const UPLOAD_TRIES = 4;

export interface ObjectToSend {
  sha256: string;
  mode: number;
  from: LocalBytes | TakenEntry;
  bytes: number;
  label: string;
}

export interface SendJob {
  deps: { seats: Seats; daemonId: string; nonce: () => string };
  seat: Seat;
  facts: ReadyFacts;
  signal: AbortSignal;
  report: (object: Pick<ObjectToSend, 'sha256' | 'label'>, bytesDone: number) => void;
}

/** Sends one object, resuming what an earlier try left, until the far side has exactly its bytes. */
export async function sendObject(job: SendJob, object: ObjectToSend): Promise<void> {
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
  if (verdict.kind === 'mismatch') await refuseChanged(job, object);
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
  const { from } = object;
  const onProgress = (bytes: number): void => job.report(object, bytes);
  if (from.kind === 'taken') {
    return sendTaken({ ...deps, seat, part, offset, onProgress, signal }, from);
  }
  await seat.host.upload(bytesOf(from, offset), part, { offset, onProgress, signal });
}

/** Other bytes came to the host than were hashed here: not so odd if the file is another now. */
async function refuseChanged(
  { seat }: SendJob,
  { from, sha256, label }: ObjectToSend,
): Promise<void> {
  if (from.kind === 'taken' || (await hashOf(from)) === sha256) return;
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
