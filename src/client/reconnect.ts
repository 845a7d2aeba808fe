/** Goes on after the daemon went away for a moment: backoff with a bound, announced once. */
import { isDaemonAway } from './errors.ts';

export interface Reconnect {
  signal?: AbortSignal | undefined;
  /** How long to try to get back to a daemon that went away in the middle. Default 10 minutes. */
  reconnectForMs?: number | undefined;
  /** Told when the connection was lost, and again when it is back. */
  onReconnect?: ((state: 'lost' | 'back') => void) | undefined;
}

const RECONNECT_FOR_MS = 600_000;
const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 2000;

/** A run of tries: counts from the last success. */
export interface Tries {
  /** Call when the daemon answered. */
  worked(): void;
  /** Waits before the next try, or rejects with `error` when trying again is pointless or over. */
  failed(error: unknown): Promise<void>;
}

/**
 * The first call of all must work at once (a daemon that is not there will not come by itself);
 * only what has worked, or broke in the middle, is tried again.
 */
export function createTries(options: Reconnect, hasWorked = false): Tries {
  const state = { hasWorked, lostAt: 0, delay: FIRST_DELAY_MS };
  return {
    worked() {
      if (state.lostAt > 0) options.onReconnect?.('back');
      Object.assign(state, { hasWorked: true, lostAt: 0, delay: FIRST_DELAY_MS });
    },
    async failed(error) {
      if (!isDaemonAway(error) || options.signal?.aborted === true) throw error;
      if (!state.hasWorked && !brokeInTheMiddle(error)) throw error;
      if (state.lostAt === 0) {
        state.lostAt = Date.now();
        options.onReconnect?.('lost');
      }
      const patience = options.reconnectForMs ?? RECONNECT_FOR_MS;
      if (Date.now() - state.lostAt > patience) throw error;
      await sleep(state.delay, options.signal);
      state.delay = Math.min(DELAY_MS_MAX, state.delay * 2);
      state.hasWorked = true;
    },
  };
}

/** Repeats a call that may be made twice until it works or fails for another reason. */
export async function repeat<T>(options: Reconnect, call: () => Promise<T>): Promise<T> {
  const tries = createTries(options);
  for (;;) {
    try {
      const result = await call();
      tries.worked();
      return result;
    } catch (error) {
      await tries.failed(error);
    }
  }
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
