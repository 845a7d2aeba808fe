/**
 * Images of a host: one pull per image at a time, carried out there by a detached job that outlives
 * the link and the daemon, watched until it is done. Whoever asks meanwhile shares it.
 */
import pRetry, { AbortError } from 'p-retry';
import { backoffMs } from '../domain/backoff.ts';
import { type AppError, isAppError, toAppError } from '../domain/failure.ts';
import type { ReadyImage } from '../domain/state.ts';
import { type ImageRef, imageKey, mayMove, parseImage, registryOf } from '../script/image-ref.ts';
import {
  classifyPull,
  type PullPlace,
  parsePull,
  pullCancelText,
  pullText,
} from '../script/pull.ts';
import { imageDirectory, imageThere, isOfPull } from './image-there.ts';
import { createPullMemory } from './pull-memory.ts';
import type { ReadyFacts, Seat } from './seats.ts';
import { sleep } from './sleep.ts';

export interface PullWatch {
  signal: AbortSignal;
  /** The total is known of an image that comes from another host. */
  onProgress: (bytesDone: number, bytesTotal?: number) => void;
  /** A try failed; the next one comes at this time. */
  onWait?: ((error: AppError, nextTryAt: number) => void) | undefined;
  /** A person asks: what failed a moment ago is tried at once. */
  urgent?: boolean | undefined;
  /** The registry is asked whether the tag moved. */
  newer?: Newer | undefined;
  /** It could not be asked: the image that is there is used. */
  onStale?: ((error: AppError) => void) | undefined;
}

export interface Newer {
  /** What the registry said counts so long. */
  everyMs: number;
  /** Not being able to ask is a failure: somebody else can be asked. */
  strict?: boolean | undefined;
}

/** Pulls under way, by host and image. */
export interface ImageKeeper {
  /**
   * The image on the host, pulled if it is not there. When the last one who waits gives up, the
   * remote pull is ended; when the daemon stops, it goes on.
   * @throws IMAGE_* HOST_NO_SPACE RUNTIME_NOT_FOUND SSH_* and the signal's reason
   */
  have(seat: Seat, reference: string, watch: PullWatch): Promise<ReadyImage>;
  /** When a pull that failed is tried again, while it waits for that. */
  nextTryAt(host: string, references: readonly string[]): number | undefined;
  /** Somebody wants them tried: what failed a moment ago is not told again. */
  forgetFailures(references: readonly string[]): void;
}

const POLL_MS = { firstMs: 50, capMs: 1_000 };

const ASKED_WAIT_MS_MAX = 3_600_000;

interface KeeperDeps {
  nonce: () => string;
  random: () => number;
  now: () => number;
}

export function createImageKeeper(deps: KeeperDeps): ImageKeeper {
  const waiting = new Map<string, Set<PullWatch>>();
  const pauses = new Map<string, { error: AppError; at: number }>();
  const memory = createPullMemory(deps.now);

  /** The tries of one pull, told to all who wait for it; what it gave up for is remembered. */
  async function pull(
    [key, shared]: [string, string],
    parts: Omit<Pull, 'deps' | 'onProgress' | 'onWait' | 'onStale' | 'asked'>,
  ) {
    memory.check(key);
    const all = (): Iterable<PullWatch> => waiting.get(shared) ?? [];
    const onProgress = (bytes: number): void => {
      pauses.delete(key);
      for (const waiter of all()) waiter.onProgress(bytes);
    };
    const onWait = (error: AppError, at: number): void => {
      pauses.set(key, { error, at });
      for (const waiter of all()) waiter.onWait?.(error, at);
    };
    const onStale = (error: AppError): void => {
      pauses.delete(key);
      for (const waiter of all()) waiter.onStale?.(error);
    };
    const told = { deps, onProgress, onWait, onStale, asked: false };
    try {
      const image = await pullWithRetry({ ...parts, ...told });
      memory.forget(key);
      return image;
    } catch (thrown) {
      if (parts.signal.aborted || !isAppError(thrown)) throw thrown;
      throw memory.gaveUp(key, thrown, parts.seat.policy.pull.memory);
    } finally {
      pauses.delete(key);
    }
  }

  async function have(seat: Seat, reference: string, watch: PullWatch): Promise<ReadyImage> {
    const ref = parseImage(reference);
    const facts = await seat.ready();
    if (ref.kind === 'sif') return { reference, path: ref.path };
    const key = keyOf(seat.name, reference);
    const newer = mayMove(ref) ? watch.newer : undefined;
    // who takes what is there does not wait for an answer of the registry
    const shared = newer === undefined ? key : `newer ${key}`;
    const waiters = waiting.get(shared) ?? new Set<PullWatch>();
    waiting.set(shared, waiters.add(watch));
    if (watch.urgent === true) memory.forget(key);
    const pause = pauses.get(key);
    if (pause !== undefined) watch.onWait?.(pause.error, pause.at);
    try {
      return await seat.share(shared, watch.signal, (signal) =>
        pull([key, shared], { seat, facts, ref, signal, newer }),
      );
    } finally {
      waiters.delete(watch);
      if (waiters.size === 0) waiting.delete(shared);
    }
  }

  return {
    have,
    nextTryAt(host, references) {
      const times = references.map((reference) => pauses.get(keyOf(host, reference))?.at);
      return times.find((at) => at !== undefined);
    },
    forgetFailures(references) {
      for (const reference of references) memory.forgetImage(imageKey(parseImage(reference)));
    },
  };
}

function keyOf(host: string, reference: string): string {
  return `pull ${host} ${imageKey(parseImage(reference))}`;
}

interface Pull {
  deps: KeeperDeps;
  seat: Seat;
  facts: ReadyFacts;
  ref: Extract<ImageRef, { kind: 'registry' }>;
  /** Aborts when nobody wants the image any more. */
  signal: AbortSignal;
  onProgress: (bytesDone: number) => void;
  onWait: (error: AppError, nextTryAt: number) => void;
  newer: PullWatch['newer'];
  onStale: (error: AppError) => void;
  /** The host may be at it. */
  asked: boolean;
}

async function pullWithRetry(pull: Pull): Promise<ReadyImage> {
  const { attempts, backoffMs: firstMs, backoffCapMs: capMs } = pull.seat.policy.pull;
  const once = async (tries: number): Promise<ReadyImage> => {
    try {
      return await pull.seat.pulls.add(() => pullOnce(pull));
    } catch (thrown) {
      const error = toAppError(thrown);
      if (pull.signal.aborted)
        throw new AbortError(await endThere(pull).then(() => error, toAppError));
      const there = pull.newer && (await whatIsThere(pull, error));
      if (there !== undefined) return there;
      if (!mayHelp(error)) throw new AbortError(error);
      if (tries < attempts) {
        const backoff = backoffMs(tries - 1, { firstMs, capMs }, pull.deps.random());
        const delay = Math.max(backoff, askedToWait(error));
        pull.onWait(error, pull.deps.now() + delay);
        await sleep(delay, pull.signal);
      }
      throw error;
    }
  };
  return pRetry(once, { retries: attempts - 1, minTimeout: 0, maxTimeout: 0 });
}

/** A registry that cannot be asked is no reason not to run what is there. */
async function whatIsThere(pull: Pull, error: AppError): Promise<ReadyImage | undefined> {
  if (pull.newer?.strict === true || !isOfPull(error)) return undefined;
  const image = await imageThere(pull);
  if (image !== undefined) pull.onStale(error);
  return image;
}

/** What a registry that turns us away asks for is kept, within reason. */
function askedToWait({ context }: AppError): number {
  return Math.min(Number(context['retryAfterS'] ?? 0) * 1_000, ASKED_WAIT_MS_MAX);
}

/** Trouble with the link is not the registry's: the caller waits for the host and asks again. */
function mayHelp({ retry, code }: AppError): boolean {
  const ofHost = ['HOST_CALL_ABORTED', 'HOST_PAUSED'].includes(code) || code.startsWith('SSH_');
  return retry === 'later' && !ofHost;
}

async function pullOnce(pull: Pull): Promise<ReadyImage> {
  const { seat, ref, signal } = pull;
  const place = await placeOf(pull);
  const known = place.newer;
  for (let polls = 0; ; polls += 1) {
    signal.throwIfAborted();
    pull.asked = true;
    const ask = () => seat.host.run(pullText(place), { purpose: `pulling ${ref.reference}` });
    const reply = await (polls === 0 ? ask() : seat.polls.poll(ask, signal));
    const seen = parsePull(reply.output, { host: seat.name });
    switch (seen.kind) {
      case 'ready':
        return {
          ...{ reference: ref.reference, path: seen.path },
          ...{ sha256: seen.sha256, digest: seen.digest },
        };
      case 'failed':
        throw classifyPull(seen.output, { host: seat.name, image: ref.reference });
      case 'running':
        if (seen.bytes !== undefined) pull.onProgress(seen.bytes);
        place.newer = known && 'joined';
        await sleep(backoffMs(polls, POLL_MS, 1), signal);
    }
  }
}

/**
 * Nobody wants the image any more: its pull ends on the host, too, and what a failed one has left goes.
 * When the daemon stops it stays: the next one joins it there.
 */
async function endThere({ seat, facts, ref, signal, asked, deps }: Pull): Promise<void> {
  const reason: unknown = signal.reason;
  const stopping = isAppError(reason) && reason.code === 'DAEMON_STOPPING';
  if (!asked || stopping) return;
  const directory = imageDirectory(seat, facts);
  const place = { directory, key: imageKey(ref), nonce: deps.nonce() };
  await seat.host.run(pullCancelText(place), { purpose: `ending the pull of ${ref.reference}` });
}

async function placeOf({ seat, facts, ref, deps, newer }: Pull): Promise<PullPlace> {
  const registry = registryOf(ref);
  const { timeoutMs, priority, minFreeBytes, login } = seat.policy.pull;
  return {
    directory: imageDirectory(seat, facts),
    root: facts.root,
    key: imageKey(ref),
    reference: ref.reference,
    runtime: facts.runtime.path,
    setup: seat.policy.setup,
    insecure: seat.policy.insecureRegistries.includes(registry),
    nonce: deps.nonce(),
    ...{ timeoutMs, priority, minFreeBytes, newer, auth: await login?.(registry) },
  };
}
