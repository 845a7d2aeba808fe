/**
 * Images of a host: one pull per image at a time, carried out there by a detached job that outlives
 * the link and the daemon, watched until it is done. Whoever asks meanwhile shares it.
 */
import pRetry, { AbortError } from 'p-retry';
import { backoffMs } from '../domain/backoff.ts';
import { AppError, toAppError } from '../domain/failure.ts';
import type { ReadyImage } from '../domain/state.ts';
import { type ImageRef, imageKey, parseImage } from '../script/image-ref.ts';
import {
  classifyPull,
  type PullPlace,
  parsePull,
  pullCancelText,
  pullText,
} from '../script/pull.ts';
import type { ReadyFacts, Seat } from './seats.ts';
import { sleep } from './sleep.ts';

export interface PullWatch {
  signal: AbortSignal;
  onProgress: (bytesDone: number) => void;
}

interface Waiter extends PullWatch {
  ended: boolean;
}

/** Pulls under way, by host and image. */
export interface ImageKeeper {
  /**
   * The image on the host, pulled if it is not there. When the last one who waits gives up, the
   * remote pull is ended.
   * @throws IMAGE_* HOST_NO_SPACE RUNTIME_NOT_FOUND SSH_*
   */
  have(seat: Seat, reference: string, watch: PullWatch): Promise<ReadyImage>;
}

const POLL_MS = { firstMs: 50, capMs: 1_000 };

interface KeeperDeps {
  nonce: () => string;
  random: () => number;
}

export function createImageKeeper(deps: KeeperDeps): ImageKeeper {
  const waiting = new Map<string, Set<Waiter>>();

  async function have(seat: Seat, reference: string, watch: PullWatch): Promise<ReadyImage> {
    const ref = parseImage(reference);
    const facts = await seat.ready();
    if (ref.kind === 'sif') return { reference, path: ref.path };
    const key = `pull ${seat.name} ${imageKey(ref)}`;
    const waiters = waiting.get(key) ?? new Set<Waiter>();
    waiting.set(key, waiters);
    const waiter: Waiter = { ...watch, ended: false };
    waiters.add(waiter);
    const pull: Pull = { deps, seat, facts, ref, waiters };
    try {
      const shared = seat.once(key, () => pullWithRetry(pull));
      return await orAbort(shared, watch.signal);
    } finally {
      waiters.delete(waiter);
      if (waiters.size === 0) waiting.delete(key);
    }
  }

  return { have };
}

interface Pull {
  deps: KeeperDeps;
  seat: Seat;
  facts: ReadyFacts;
  ref: Extract<ImageRef, { kind: 'registry' }>;
  waiters: Set<Waiter>;
}

async function pullWithRetry(pull: Pull): Promise<ReadyImage> {
  const { attempts, backoffMs: firstMs, backoffCapMs: capMs } = pull.seat.policy.pull;
  const once = async (tries: number): Promise<ReadyImage> => {
    try {
      return await pull.seat.pulls.add(() => pullOnce(pull));
    } catch (thrown) {
      if (thrown instanceof AbortError) throw thrown;
      const error = toAppError(thrown);
      // Trouble with the link is not the registry's: the caller waits for the host and asks again.
      if (error.retry !== 'later' || error.code.startsWith('SSH_')) throw new AbortError(error);
      if (tries < attempts)
        await sleep(backoffMs(tries - 1, { firstMs, capMs }, pull.deps.random()));
      throw error;
    }
  };
  return pRetry(once, { retries: attempts - 1, minTimeout: 0, maxTimeout: 0 });
}

async function pullOnce(pull: Pull): Promise<ReadyImage> {
  const { seat, ref } = pull;
  const place = placeOf(pull);
  for (let polls = 0; ; polls += 1) {
    if (pull.waiters.size === 0) return giveUp(pull, place);
    const reply = await seat.host.run(pullText(place), { purpose: `pulling ${ref.reference}` });
    const seen = parsePull(reply.output, { host: seat.name });
    switch (seen.kind) {
      case 'ready':
        return { reference: ref.reference, path: seen.path, sha256: seen.sha256 };
      case 'failed':
        throw classifyPull(seen.output, { host: seat.name, image: ref.reference });
      case 'running':
        for (const waiter of pull.waiters) waiter.onProgress(seen.bytes);
        await sleep(backoffMs(polls, POLL_MS, 1));
    }
  }
}

/** Nobody wants the image any more: the pull ends on the host, too. */
async function giveUp(pull: Pull, place: PullPlace): Promise<never> {
  await pull.seat.host.run(pullCancelText(place), {
    purpose: `ending the pull of ${pull.ref.reference}`,
  });
  const why = `the pull of ${pull.ref.reference} was cancelled`;
  const context = { host: pull.seat.name, image: pull.ref.reference };
  throw new AbortError(new AppError('IMAGE_PULL_FAILED', why, { context }));
}

function placeOf({ seat, facts, ref, deps }: Pull): PullPlace {
  const registry = ref.name.split('/')[0] ?? '';
  return {
    directory: seat.policy.imageCacheDir ?? `${facts.root}/images`,
    root: facts.root,
    key: imageKey(ref),
    reference: ref.reference,
    runtime: facts.runtime.path,
    setup: seat.policy.setup,
    insecure: seat.policy.insecureRegistries.includes(registry),
    nonce: deps.nonce(),
    timeoutMs: seat.policy.pull.timeoutMs,
  };
}

function orAbort<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
