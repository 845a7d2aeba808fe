/**
 * Looks at a host, kept to so many per second whatever the number of tasks, and measured: a login node
 * notices who asks all the time. A look that comes too early waits for its turn.
 */
import { sleep } from './sleep.ts';

/** Upper bounds in seconds, for a link that is near up to a host that hardly answers. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] as const;

const SECOND_MS = 1_000;

/** How long looks took, as a cumulative histogram. */
export interface PollTimes {
  buckets: { le: number; count: number }[];
  count: number;
  sumSeconds: number;
}

export interface PollUse {
  /** So many per second at most. */
  limit: number;
  lastSecond: number;
}

export interface PollPace {
  /** Looks when it is its turn; a turn that the signal ends before is taken at once. */
  poll<T>(look: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  use(): PollUse;
  times(): PollTimes;
}

export function createPollPace(
  perSecond: number,
  clock: () => number = () => performance.now(),
): PollPace {
  const counts = BOUNDS.map(() => 0);
  let recent: number[] = [];
  let count = 0;
  let sumSeconds = 0;

  async function turn(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const waitMs = untilTurn();
      if (waitMs <= 0 || signal?.aborted) return;
      await sleep(Math.ceil(waitMs), signal);
    }
  }

  /** The first half may come at once, for what just started; the others evenly, so that none waits long. */
  function untilTurn(): number {
    trim();
    const now = clock();
    const first = recent.at(-perSecond);
    if (first !== undefined && recent.length >= perSecond) return first + SECOND_MS - now;
    const last = recent.at(-1);
    if (last === undefined || recent.length < perSecond / 2) return 0;
    return last + SECOND_MS / perSecond - now;
  }

  function trim(): void {
    const since = clock() - SECOND_MS;
    recent = recent.filter((at) => at > since);
  }

  return {
    async poll(look, signal) {
      await turn(signal);
      const began = clock();
      recent.push(began);
      const result = await look();
      const seconds = (clock() - began) / 1_000;
      count += 1;
      sumSeconds += seconds;
      for (const [index, bound] of BOUNDS.entries())
        if (seconds <= bound) counts[index] = (counts[index] ?? 0) + 1;
      return result;
    },
    use() {
      trim();
      return { limit: perSecond, lastSecond: recent.length };
    },
    times: () => ({
      buckets: BOUNDS.map((le, index) => ({ le, count: counts[index] ?? 0 })),
      count,
      sumSeconds,
    }),
  };
}
