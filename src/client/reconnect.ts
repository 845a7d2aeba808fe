/** Goes on after the daemon went away for a moment: backoff with a bound, announced once. */
import { isDaemonAway, isDaemonBusy } from './errors.ts';

export interface Reconnect {
  signal?: AbortSignal | undefined;
  /** How long to try to get back to a daemon that went away in the middle. Default 10 minutes. */
  reconnectForMs?: number | undefined;
  /** It has answered before: one that is away comes back. Default: the first call of all must work at once. */
  hasAnswered?: boolean | undefined;
  /** Told when the connection was lost, and again when it is back. */
  onReconnect?: ((state: 'lost' | 'back') => void) | undefined;
}

const RECONNECT_FOR_MS = 600_000;
const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 2000;

/** A connection that lived this long was a good one, though it may have been silent. */
const STABLE_MS = 5000;

/** A run of tries: patience counts from the last time something came of one. */
export interface Tries {
  /** Call when the daemon answered. */
  connected(): void;
  /** Call when something was gained: a result, the next bytes. */
  progressed(): void;
  /** Waits before the next try, or rejects with `error` when trying again is pointless or over. */
  failed(error: unknown): Promise<void>;
}

/**
 * The first call of all must work at once (a daemon that is not there will not come by itself);
 * only what has worked, or broke in the middle, is tried again. A stream that breaks again and again
 * at the same byte runs out of patience too.
 */
export function createTries(options: Reconnect): Tries {
  let hasWorked = options.hasAnswered ?? false;
  let isLost = false;
  let connectedAt = Number.POSITIVE_INFINITY;
  let fruitlessSince: number | undefined;
  let delay = FIRST_DELAY_MS;
  const progressed = (): void => {
    fruitlessSince = undefined;
    delay = FIRST_DELAY_MS;
  };
  return {
    connected() {
      if (isLost) options.onReconnect?.('back');
      isLost = false;
      hasWorked = true;
      connectedAt = performance.now();
    },
    progressed,
    async failed(error) {
      if (options.signal?.aborted === true || !mayPass(error, hasWorked)) throw error;
      const isAway = isDaemonAway(error);
      if (isAway && !isLost) options.onReconnect?.('lost');
      isLost ||= isAway;
      if (performance.now() - connectedAt > STABLE_MS) progressed();
      connectedAt = Number.POSITIVE_INFINITY;
      fruitlessSince ??= performance.now();
      const patience = options.reconnectForMs ?? RECONNECT_FOR_MS;
      if (performance.now() - fruitlessSince >= patience) throw error;
      await sleep(delay, options.signal);
      delay = Math.min(DELAY_MS_MAX, delay * 2);
      hasWorked = true;
    },
  };
}

/** Repeats a call that may be made twice until it works or fails for another reason. */
export async function repeat<T>(options: Reconnect, call: () => Promise<T>): Promise<T> {
  const tries = createTries(options);
  for (;;) {
    try {
      const result = await call();
      tries.connected();
      return result;
    } catch (error) {
      await tries.failed(error);
    }
  }
}

/** As repeat, to a daemon that has answered before. */
export function surely<T>(call: () => Promise<T>, options: Reconnect = {}): Promise<T> {
  return repeat({ ...options, hasAnswered: true }, call);
}

function mayPass(error: unknown, hasWorked: boolean): boolean {
  if (isDaemonAway(error)) return hasWorked || brokeInTheMiddle(error);
  return hasWorked && isDaemonBusy(error);
}

function brokeInTheMiddle(error: unknown): boolean {
  const cause = (error as { cause?: { code?: string } }).cause;
  return cause?.code !== 'ENOENT' && cause?.code !== 'ECONNREFUSED' && cause?.code !== 'EACCES';
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
