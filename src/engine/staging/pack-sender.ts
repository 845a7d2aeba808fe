/**
 * Sends small objects by the pack: those that are asked for at the same time go as a few archives, each one
 * upload and one text on the host, instead of two to four round trips for every object. Whatever keeps a
 * pack from arriving is left to the way of single objects, which knows how to tell it.
 */
import { isAppError } from '../../domain/failure.ts';
import {
  dropPackText,
  type PackPlace,
  packName,
  packPath,
  parseUnpack,
  unpackText,
} from '../../script/packs.ts';
import { END_BYTES, type Member, packedBytes } from '../disk/ustar.ts';
import type { Seat } from '../seats.ts';

/** Above this a round trip costs less than the bytes. */
export const SMALL_BYTES = 256 * 1024;
/** Fewer are sent as fast one by one. */
const FEWEST = 8;
/** So that packs are sent and unpacked side by side, and a full disk needs little room for one. */
const PACK_BYTES = 8 * 1024 * 1024;

export interface PackJob<M extends Member> {
  seat: Seat;
  root: string;
  daemonId: string;
  nonce: () => string;
  /** Bytes of packs that an earlier upload left. */
  there: ReadonlyMap<string, number>;
  /** The archive of these from `offset` on. */
  read: (members: readonly M[], offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** An object is on its way, as far as the end of it. */
  onSent: (member: M) => void;
}

/** True when the object has its name; false when it has to be sent alone. @throws SSH_* SFTP_* HOST_* */
export type SendPacked<M extends Member> = (member: M, signal: AbortSignal) => Promise<boolean>;

interface Asked<M> {
  member: M;
  signal: AbortSignal;
  done: PromiseWithResolvers<boolean>;
}

export function createPacker<M extends Member>(job: PackJob<M>): SendPacked<M> {
  let asked: Asked<M>[] = [];
  const flush = (): void => {
    const all = asked;
    asked = [];
    if (all.length < FEWEST) for (const { done } of all) done.resolve(false);
    else for (const pack of packsOf(all)) void sendFor(job, pack);
  };
  return (member, signal) => {
    if (asked.length === 0) queueMicrotask(flush);
    const done = Promise.withResolvers<boolean>();
    asked.push({ member, signal, done });
    return done.promise;
  };
}

/** In order, so that what is left of them after a cut makes the same packs again. */
function packsOf<M extends Member>(asked: readonly Asked<M>[]): Asked<M>[][] {
  const packs: Asked<M>[][] = [];
  let room = 0;
  for (const one of asked) {
    const bytes = packedBytes(one.member.bytes);
    if (bytes > room) {
      packs.push([]);
      room = PACK_BYTES;
    }
    packs.at(-1)?.push(one);
    room -= bytes;
  }
  return packs;
}

async function sendFor<M extends Member>(
  job: PackJob<M>,
  pack: readonly Asked<M>[],
): Promise<void> {
  const members = pack.map(({ member }) => member);
  const signal = whenAllAborted(pack.map((one) => one.signal));
  try {
    const sent = await job.seat.transfers.add(() => sendPack(job, members, signal));
    for (const { done } of pack) done.resolve(sent);
  } catch (error) {
    for (const { done } of pack) done.reject(error);
  }
}

/** The others may still be wanted. */
function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  let left = signals.length;
  const one = (event: Event): void => {
    left -= 1;
    if (left === 0) controller.abort((event.target as AbortSignal).reason);
  };
  for (const signal of signals) {
    if (signal.aborted) one({ target: signal } as unknown as Event);
    else signal.addEventListener('abort', one, { once: true });
  }
  return controller.signal;
}

/** What the way of single objects meets again and tells better, or gets round. */
const LEFT_TO_SINGLES: ReadonlySet<string> = new Set(['STAGE_INPUT_CHANGED', 'HOST_NO_SPACE']);

async function sendPack<M extends Member>(
  job: PackJob<M>,
  members: readonly M[],
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const { seat, root, daemonId } = job;
  const objects = members.map(({ name }) => name);
  const place: PackPlace = { root, daemonId, pack: packName(objects) };
  const bytes = members.reduce((sum, member) => sum + packedBytes(member.bytes), END_BYTES);
  const before = job.there.get(place.pack) ?? 0;
  const offset = before > bytes ? 0 : before;
  const onProgress = progressOf(job, members);
  try {
    const bytesOfPack = job.read(members, offset, signal);
    await seat.host.upload(bytesOfPack, packPath(place), { offset, onProgress, signal });
    const text = unpackText({ ...place, nonce: job.nonce(), objects });
    const purpose = `unpacking ${members.length} inputs`;
    const reply = await seat.host.run(text, { purpose, lane: 'slow', signal });
    return parseUnpack(reply.output, { host: seat.name }).kind === 'published';
  } catch (error) {
    const isLeft = isAppError(error) && LEFT_TO_SINGLES.has(error.code);
    // a daemon that stops says so by an error of its own, and the next one goes on from there
    const isGivenUp = signal.aborted && !isAppError(signal.reason);
    if (isLeft || isGivenUp) await drop(seat, place);
    if (isLeft && !signal.aborted) return false;
    throw error;
  }
}

async function drop(seat: Seat, place: PackPlace): Promise<void> {
  const purpose = 'removing a pack that is in the way';
  await seat.host.run(dropPackText(place), { purpose }).catch(() => {});
}

function progressOf<M extends Member>(
  { onSent }: PackJob<M>,
  members: readonly M[],
): (bytes: number) => void {
  let next = 0;
  let end = 0;
  return (bytes) => {
    for (let member = members[next]; member !== undefined; member = members[next]) {
      const after = end + packedBytes(member.bytes);
      if (after > bytes) return;
      onSent(member);
      end = after;
      next += 1;
    }
  };
}
