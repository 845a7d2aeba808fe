/** Times told by a host, whose clock is its own and counts whole seconds. */

const NEAR_MS = 3_000;

/**
 * The moment something happened there that we have just heard of: our own clock where we were
 * looking at the time, else the host's.
 */
export function momentOf(hostMs: number, nowMs: number): number {
  return Math.abs(nowMs - hostMs) <= NEAR_MS ? nowMs : hostMs;
}
