/**
 * Images of a host: one pull per image at a time, carried out there by a detached job that outlives
 * the link and the daemon, watched until it is done. Whoever asks meanwhile shares it.
 */
import pRetry, { AbortError } from 'p-retry';
import { backoffMs } from '../domain/backoff.ts';
import { type AppError, isAppError, toAppError } from '../domain/failure.ts';
import type { ReadyImage } from '../domain/state.ts';
import { type ImageRef, imageKey, parseImage, registryOf } from '../script/image-ref.ts';
import {
  classifyPull,
  type PullPlace,
  parsePull,
  pullCancelText,
  pullText,
} from '../script/pull.ts';
import { createPullMemory } from './pull-memory.ts';
import type { ReadyFacts, Seat } from './seats.ts';
import { sleep } from './sleep.ts';

export interface PullWatch {
  signal: AbortSignal;
  onProgress: (bytesDone: number) => void;
  /** A try failed; the next one comes at this time. */
  onWait?: ((error: AppError, nextTryAt: number) => void) | undefined;
  /** A person asks: what failed a moment ago is tried at once. */
  urgent?: boolean | undefined;
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
  async function pull(key: string, parts: Omit<Pull, 'deps' | 'onProgress' | 'onWait' | 'asked'>) {
    memory.check(key);
    const all = (): Iterable<PullWatch> => waiting.get(key) ?? [];
    const onProgress = (bytes: number): void => {
      pauses.delete(key);
      for (const waiter of all()) waiter.onProgress(bytes);
    };
    const onWait = (error: AppError, at: number): void => {
      pauses.set(key, { error, at });
      for (const waiter of all()) waiter.onWait?.(error, at);
    };
    try {
      const image = await pullWithRetry({ ...parts, deps, onProgress, onWait, asked: false });
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
    const waiters = waiting.get(key) ?? new Set<PullWatch>();
    waiting.set(key, waiters.add(watch));
    if (watch.urgent === true) memory.forget(key);
    const pause = pauses.get(key);
    if (pause !== undefined) watch.onWait?.(pause.error, pause.at);
    try {
      return await seat.share(key, watch.signal, (signal) =>
        pull(key, { seat, facts, ref, signal }),
      );
    } finally {
      waiters.delete(watch);
      if (waiters.size === 0) waiting.delete(key);
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
  /** The host may be at it. */
  asked: boolean;
}

async function pullWithRetry(pull: Pull): Promise<ReadyImage> {
  const { attempts, backoffMs: firstMs, backoffCapMs: capMs } = pull.seat.policy.pull;
  const once = async (tries: number): Promise<ReadyImage> => {
    try {
      return await pull.seat.pulls.add(() => pullOnce(pull));
    } catch (thrown) {
      if (thrown instanceof AbortError) throw thrown;
      const error = toAppError(thrown);
      if (!mayHelp(error) || pull.signal.aborted) throw new AbortError(error);
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
  for (let polls = 0; ; polls += 1) {
    if (signal.aborted) return giveUp(pull, place);
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
        pull.onProgress(seen.bytes);
        await sleep(backoffMs(polls, POLL_MS, 1), signal);
    }
  }
}

/** Nobody wants the image any more: the pull ends on the host, too. The next daemon joins it there. */
async function giveUp({ seat, ref, signal, asked }: Pull, place: PullPlace): Promise<never> {
  const reason: unknown = signal.reason;
  const stopping = isAppError(reason) && reason.code === 'DAEMON_STOPPING';
  if (asked && !stopping) {
    await seat.host.run(pullCancelText(place), { purpose: `ending the pull of ${ref.reference}` });
  }
  throw new AbortError(reason as Error);
}

async function placeOf({ seat, facts, ref, deps }: Pull): Promise<PullPlace> {
  const registry = registryOf(ref);
  const { timeoutMs, priority, minFreeBytes, login } = seat.policy.pull;
  return {
    directory: seat.policy.imageCacheDir ?? `${facts.root}/images`,
    root: facts.root,
    key: imageKey(ref),
    reference: ref.reference,
    runtime: facts.runtime.path,
    setup: seat.policy.setup,
    insecure: seat.policy.insecureRegistries.includes(registry),
    nonce: deps.nonce(),
    ...{ timeoutMs, priority, minFreeBytes, auth: await login?.(registry) },
  };
}
