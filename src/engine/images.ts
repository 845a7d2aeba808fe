/**
 * Images of a host: one pull per image at a time, carried out there by a detached job that outlives
 * the link and the daemon, watched until it is done. Whoever asks meanwhile shares it.
 */
import pRetry, { AbortError } from 'p-retry';
import { backoffMs } from '../domain/backoff.ts';
import { type AppError, isAppError, toAppError } from '../domain/failure.ts';
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

/** Pulls under way, by host and image. */
export interface ImageKeeper {
  /**
   * The image on the host, pulled if it is not there. When the last one who waits gives up, the
   * remote pull is ended; when the daemon stops, it goes on.
   * @throws IMAGE_* HOST_NO_SPACE RUNTIME_NOT_FOUND SSH_* and the signal's reason
   */
  have(seat: Seat, reference: string, watch: PullWatch): Promise<ReadyImage>;
}

const POLL_MS = { firstMs: 50, capMs: 1_000 };

interface KeeperDeps {
  nonce: () => string;
  random: () => number;
}

export function createImageKeeper(deps: KeeperDeps): ImageKeeper {
  const waiting = new Map<string, Set<PullWatch>>();

  async function have(seat: Seat, reference: string, watch: PullWatch): Promise<ReadyImage> {
    const ref = parseImage(reference);
    const facts = await seat.ready();
    if (ref.kind === 'sif') return { reference, path: ref.path };
    const key = `pull ${seat.name} ${imageKey(ref)}`;
    const waiters = waiting.get(key) ?? new Set<PullWatch>();
    waiting.set(key, waiters.add(watch));
    const onProgress = (bytes: number): void => {
      for (const waiter of waiting.get(key) ?? []) waiter.onProgress(bytes);
    };
    try {
      return await seat.share(key, watch.signal, (signal) =>
        pullWithRetry({ deps, seat, facts, ref, signal, onProgress, asked: false }),
      );
    } finally {
      waiters.delete(watch);
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
  /** Aborts when nobody wants the image any more. */
  signal: AbortSignal;
  onProgress: (bytesDone: number) => void;
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
      const delay = backoffMs(tries - 1, { firstMs, capMs }, pull.deps.random());
      if (tries < attempts) await sleep(delay, pull.signal);
      throw error;
    }
  };
  return pRetry(once, { retries: attempts - 1, minTimeout: 0, maxTimeout: 0 });
}

/** Trouble with the link is not the registry's: the caller waits for the host and asks again. */
function mayHelp({ retry, code }: AppError): boolean {
  const ofHost = ['HOST_CALL_ABORTED', 'HOST_PAUSED'].includes(code) || code.startsWith('SSH_');
  return retry === 'later' && !ofHost;
}

async function pullOnce(pull: Pull): Promise<ReadyImage> {
  const { seat, ref, signal } = pull;
  const place = placeOf(pull);
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
