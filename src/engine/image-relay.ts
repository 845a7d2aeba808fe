/**
 * Images for hosts that cannot pull: another host has the image, by the same keeper and so at most once,
 * and its bytes go from there through the daemon to the host that wants it. They are kept nowhere in
 * between, checked on arrival, and named as a pulled image is.
 */
import pRetry from 'p-retry';
import { AppError, isAppError, toAppError } from '../domain/failure.ts';
import type { ReadyImage } from '../domain/state.ts';
import type { ReadyReply } from '../script/image-ready.ts';
import {
  dropImagePartText,
  noSpaceForImage,
  parseReceive,
  publishImageText,
  type ReceivePlace,
  type ReceiveReply,
  receiveText,
} from '../script/image-receive.ts';
import { type ImageRef, imageKey, mayMove, parseImage, registryOf } from '../script/image-ref.ts';
import {
  hasRuntimeText,
  type ImageRecord,
  imageFileText,
  parseImageFile,
} from '../script/image-send.ts';
import { hashFilesText, parseHashFiles } from '../script/objects.ts';
import { REMOTE_FORMAT } from '../script/records.ts';
import { pullHere, roadOf } from './image-pull-here.ts';
import {
  isFinal,
  noneCould,
  refuseOtherCpu,
  type SourceFailure,
  sourcesFor,
} from './image-sources.ts';
import { imageDirectory, imageThere, isOfPull } from './image-there.ts';
import type { ImageKeeper, PullWatch } from './images.ts';
import type { Logger } from './logger.ts';
import { createPullMemory, type PullMemory } from './pull-memory.ts';
import type { ReadyFacts, Seat, Seats } from './seats.ts';
import { atSource, SourceTrouble } from './source-trouble.ts';
import { streamBetween } from './stream-between.ts';

const SENDS = 3;
/** Hashing is as slow as the slowest disk that somebody keeps images on. */
const HASH_BYTES_PER_MS = 5_000;
const HASH_MS_MIN = 300_000;

interface RelayDeps {
  keeper: ImageKeeper;
  seats: Pick<Seats, 'all' | 'get' | 'here'>;
  daemonId: string;
  log: Logger;
  now: () => number;
}

/** One wish for an image that may have to come from elsewhere. */
interface Wish extends PullWatch {
  deps: RelayDeps;
  seat: Seat;
  ref: Extract<ImageRef, { kind: 'registry' }>;
  /** Registries that hosts could not reach a moment ago. */
  cut: PullMemory;
}

/**
 * The keeper, for hosts of every `image_source`.
 * @throws as the keeper, and IMAGE_SOURCE_AWAY IMAGE_NO_SOURCE IMAGE_ARCHITECTURE
 */
export function createImageRelay(deps: RelayDeps): ImageKeeper {
  const waiting = new Map<string, Set<PullWatch>>();
  const cut = createPullMemory(deps.now);
  return {
    ...deps.keeper,
    forgetFailures(references) {
      deps.keeper.forgetFailures(references);
      for (const reference of references) {
        const ref = parseImage(reference);
        if (ref.kind === 'registry') cut.forgetImage(registryOf(ref));
      }
    },
    async have(seat, reference, watch) {
      const ref = parseImage(reference);
      if (ref.kind === 'sif' || seat.policy.imageSource === 'pull')
        return deps.keeper.have(seat, reference, watch);
      const newer = mayMove(ref) ? watch.newer : undefined;
      const key = `${newer === undefined ? '' : 'newer '}image ${imageKey(ref)}`;
      const id = `${seat.name} ${key}`;
      const waiters = waiting.get(id) ?? new Set<PullWatch>();
      waiting.set(id, waiters.add(watch));
      const { urgent } = watch;
      if (urgent === true) cut.forget(roadOf(seat, ref));
      const onProgress: PullWatch['onProgress'] = (...bytes) => {
        for (const waiter of waiting.get(id) ?? []) waiter.onProgress(...bytes);
      };
      const onStale = (error: AppError): void => {
        for (const waiter of waiting.get(id) ?? []) waiter.onStale?.(error);
      };
      try {
        return await seat.share(key, watch.signal, (signal) =>
          bringOrTake({ deps, cut, seat, ref, signal, onProgress, newer, onStale, urgent }),
        );
      } finally {
        waiters.delete(watch);
        if (waiters.size === 0) waiting.delete(id);
      }
    },
  };
}

/** When nobody can tell of a newer one, what is there will do. */
async function bringOrTake(wish: Wish): Promise<ReadyImage> {
  try {
    return await bring(wish);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (wish.newer === undefined || wish.signal.aborted || !isOfPull(error)) throw error;
    const there = await imageThere({ ...wish, facts: await wish.seat.facts() });
    if (there === undefined) throw error;
    wish.onStale?.(error);
    return there;
  }
}

async function bring(wish: Wish): Promise<ReadyImage> {
  const { seat, deps } = wish;
  const sources = await usable(wish, sourcesFor(seat, deps.seats));
  if (seat.policy.imageSource === 'upload') return send(wish, sources, undefined);
  if (sources.length === 0) return deps.keeper.have(seat, wish.ref.reference, wish);
  try {
    return await pullHere(wish, { keeper: deps.keeper, cut: wish.cut });
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== 'IMAGE_REGISTRY_UNREACHABLE' || wish.signal.aborted) throw error;
    return send(wish, sources, error);
  }
}

async function send(wish: Wish, sources: Seat[], pull: AppError | undefined): Promise<ReadyImage> {
  const { seat, ref, deps } = wish;
  const failures: SourceFailure[] = [];
  for (const source of sources) {
    try {
      return await sendFrom(wish, source);
    } catch (thrown) {
      wish.signal.throwIfAborted();
      if (!(thrown instanceof SourceTrouble)) throw thrown;
      const { error } = thrown;
      failures.push({ source: source.name, error });
      const { code, message } = error;
      deps.log.info({ host: seat.name, source: source.name, code }, `no image: ${message}`);
      if (isFinal(error)) break;
    }
  }
  throw noneCould(failures, { host: seat.name, image: ref.reference, pull });
}

async function sendFrom(wish: Wish, source: Seat): Promise<ReadyImage> {
  const { seat, ref } = wish;
  const target = await seat.ready();
  const file = await atSource(() => imageOn(wish, source, target));
  const { sha256 } = file.record;
  const place = placeOf(wish, target, sha256);
  try {
    return await inTurn([source, seat], () =>
      pRetry(() => sendOnce(wish, { source, file, place }), {
        ...{ retries: SENDS - 1, minTimeout: 100, maxTimeout: 2_000, signal: wish.signal },
        shouldRetry: ({ error }) => isAppError(error) && error.code === 'IMAGE_CORRUPT',
      }),
    );
  } catch (error) {
    await leave(wish, place);
    throw error;
  } finally {
    wish.deps.log.debug({ host: seat.name, source: source.name }, `sent ${ref.reference}`);
  }
}

interface SourceFile {
  path: string;
  record: ImageRecord;
}

/** Has the image on the source, and what must be known of it. */
async function imageOn(wish: Wish, source: Seat, target: ReadyFacts): Promise<SourceFile> {
  const { ref, deps, signal } = wish;
  const image = ref.reference;
  const { arch } = await source.ready();
  refuseOtherCpu({ name: source.name, arch }, { name: wish.seat.name, arch: target.arch }, image);
  const { path } = await deps.keeper.have(source, image, wish);
  const purpose = `looking at image ${image}`;
  const reply = await source.host.run(imageFileText(path), { purpose, signal });
  const { bytes, record } = parseImageFile(reply.output, { host: source.name, image });
  if (record !== undefined) return { path, record };
  const hashed = await source.host.run(hashFilesText([path]), {
    ...{ purpose: `hashing image ${image}`, lane: 'slow', signal, deadlineMs: hashMs(bytes) },
  });
  const [sha256 = ''] = parseHashFiles(hashed.output, { host: source.name, count: 1 });
  return { path, record: { format: REMOTE_FORMAT, reference: image, sha256, bytes } };
}

/** This machine may be no place of containers at all: that is asked before anything is made here. */
async function usable({ seat, signal }: Wish, sources: Seat[]): Promise<Seat[]> {
  const [first, ...others] = sources;
  if (first?.policy.type !== 'local' || seat.policy.imageFrom !== undefined) return sources;
  if (first.knownFacts()?.runtime !== undefined) return sources;
  const { runtime, setup } = first.policy;
  const text = hasRuntimeText({ runtime, setup });
  const reply = await first.host.run(text, { purpose: 'looking for a runtime', signal });
  return reply.output.includes('@ yes') ? sources : others;
}

function placeOf(
  { seat, ref, deps, newer }: Wish,
  facts: ReadyFacts,
  sha256: string,
): ReceivePlace {
  return {
    directory: imageDirectory(seat, facts),
    root: facts.root,
    key: imageKey(ref),
    sha256,
    daemonId: deps.daemonId,
    host: seat.name,
    newer: newer !== undefined,
  };
}

/** A place among the transfers of both hosts; always in the same order, so that no two wait for each other. */
function inTurn<T>(seats: Seat[], act: () => Promise<T>): Promise<T> {
  const order = seats.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return order.reduceRight((inner, seat) => () => seat.transfers.add(inner), act)();
}

interface Sending {
  source: Seat;
  file: SourceFile;
  place: ReceivePlace;
}

/** Goes on where an earlier try was cut; what is there in the end is judged by its hash. */
async function sendOnce(wish: Wish, { source, file, place }: Sending): Promise<ReadyImage> {
  const { seat, ref, signal } = wish;
  const { bytes } = file.record;
  const query = { host: seat.name, image: ref.reference };
  const ask = async (text: string, more: { deadlineMs?: number } = {}): Promise<ReceiveReply> => {
    const purpose = `receiving image ${ref.reference}`;
    const lane = more.deadlineMs === undefined ? 'quick' : 'slow';
    const reply = await seat.host.run(text, { purpose, lane, signal, ...more });
    return parseReceive(reply.output, query);
  };
  const seen = await ask(receiveText(place, bytes));
  if (seen.kind === 'ready') return readyImage(ref, seen);
  if (seen.kind === 'nospace')
    throw noSpaceForImage(query, { needBytes: bytes, freeBytes: seen.freeBytes });
  if (seen.kind === 'part') {
    const offset = seen.bytes > bytes ? 0 : seen.bytes;
    await streamBetween(wish, { source, path: file.path, size: bytes, target: seen.path, offset });
  }
  const end = await ask(publishImageText(place, file.record), { deadlineMs: hashMs(bytes) });
  if (end.kind === 'ready') return readyImage(ref, end);
  const why = `the bytes on ${seat.name} are not those of ${source.name}`;
  throw new AppError('IMAGE_CORRUPT', `image ${ref.reference}: ${why}`, { context: query });
}

function readyImage({ reference }: ImageRef, { path, sha256, digest }: ReadyReply): ReadyImage {
  return { reference, path, sha256, digest };
}

/** Nobody wants it any more: the part goes. When a link was lost or the daemon stops, it is gone on with later. */
async function leave({ seat, ref, signal }: Wish, place: ReceivePlace): Promise<void> {
  const reason: unknown = signal.reason;
  if (!signal.aborted || (isAppError(reason) && reason.code === 'DAEMON_STOPPING')) return;
  const purpose = `removing what came of ${ref.reference}`;
  await seat.host.run(dropImagePartText(place), { purpose }).catch(() => {});
}

function hashMs(bytes: number): number {
  return Math.max(HASH_MS_MIN, Math.ceil(bytes / HASH_BYTES_PER_MS));
}
