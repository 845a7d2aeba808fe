/** Many histories, one seed each: what they came to, together. */
import { type HistoryOptions, runHistory } from './history.ts';

export interface Tally {
  histories: number;
  steps: number;
  tasks: number;
  attempts: number;
  faults: Record<string, number>;
  /** Virtual seconds from the mending to the end of everything: how many histories took at most 2^i. */
  converged: number[];
  convergedMaxMs: number;
  violations: { seed: number; promise: string; what: string }[];
}

export function emptyTally(): Tally {
  return {
    histories: 0,
    steps: 0,
    tasks: 0,
    attempts: 0,
    faults: {},
    converged: [],
    convergedMaxMs: 0,
    violations: [],
  };
}

/** Runs the histories of these seeds; stops after `violationsMax` broken promises. */
export function runCampaign(
  { seed, count, violationsMax = 10 }: { seed: number; count: number; violationsMax?: number },
  options: HistoryOptions = {},
): Tally {
  // A stack for each refusal of a host costs more than the rest of a history.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const tally = emptyTally();
  try {
    for (let one = seed; one < seed + count; one += 1) {
      const history = runHistory({ seed: one }, options);
      const { violation, steps, tasks, attempts, faults, convergedMs } = history;
      add(tally, { ...emptyTally(), histories: 1, steps, tasks, attempts, faults });
      if (violation === undefined) {
        const slot = Math.max(0, Math.ceil(Math.log2(convergedMs / 1000)));
        tally.converged[slot] = (tally.converged[slot] ?? 0) + 1;
        tally.convergedMaxMs = Math.max(tally.convergedMaxMs, convergedMs);
      } else tally.violations.push({ seed: one, ...violation });
      if (tally.violations.length >= violationsMax) break;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return tally;
}

/** Adds up what workers found. */
export function add(sum: Tally, more: Tally): void {
  sum.histories += more.histories;
  sum.steps += more.steps;
  sum.tasks += more.tasks;
  sum.attempts += more.attempts;
  for (const [kind, count] of Object.entries(more.faults)) {
    sum.faults[kind] = (sum.faults[kind] ?? 0) + count;
  }
  for (const [slot, count] of more.converged.entries()) {
    sum.converged[slot] = (sum.converged[slot] ?? 0) + (count ?? 0);
  }
  sum.convergedMaxMs = Math.max(sum.convergedMaxMs, more.convergedMaxMs);
  sum.violations.push(...more.violations);
}

/** The median, in virtual seconds, as the smallest power of two that half of them did not exceed. */
export function convergedMedianS({ converged }: Tally): number {
  const all = converged.reduce((sum, count) => sum + (count ?? 0), 0);
  let seen = 0;
  for (const [slot, count] of converged.entries()) {
    seen += count ?? 0;
    if (seen * 2 >= all) return 2 ** slot;
  }
  return 0;
}
