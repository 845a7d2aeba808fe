/**
 * Time as the bridge sees it, so that tests can turn it by hand. Budgets, waits and backoffs are counted by
 * it: it goes on evenly when the clock of the machine is set, by whatever step.
 */
export interface Clock {
  /** Milliseconds since 1970, as the machine's clock told them when this process began, and counted since. */
  now(): number;
  /** By how much the machine's clock was set since then; absent: not at all. */
  setBy?(): number;
  /** Calls `act` once after `ms`, unless the returned function is called before. */
  after(ms: number, act: () => void): () => void;
}

/** Less than this is the clock being kept right, not set. */
const STEP_MS = 1_000;

export const SYSTEM_CLOCK: Clock = {
  now: steadyNow,
  setBy() {
    const ms = Date.now() - steadyNow();
    return Math.abs(ms) < STEP_MS ? 0 : ms;
  },
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

function steadyNow(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

/** What happened, or will, at moments of this clock, with the times that the machine's clock has for them now. */
export function asSetNow<T extends object>(told: T, clock: Clock): T {
  const ms = clock.setBy?.() ?? 0;
  if (ms === 0) return told;
  const moved = Object.entries(told).map(([key, value]: [string, unknown]) =>
    (key === 'since' || key === 'nextTryAt') && typeof value === 'number'
      ? [key, value + ms]
      : [key, value],
  );
  return Object.fromEntries(moved) as T;
}
