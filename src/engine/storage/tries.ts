/** What a server cannot do just now is asked for again a few times. */
import pRetry from 'p-retry';

const TRIES = 4;
const LATER: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** @throws what the last try threw, or at once the error in an AbortError of p-retry */
export function inTries<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return pRetry(act, {
    ...{ retries: TRIES - 1, minTimeout: 200, maxTimeout: 5_000, randomize: true, signal },
  });
}

/** True for an answer that may be another one in a moment. */
export function mayPass(status: number): boolean {
  return LATER.has(status);
}
