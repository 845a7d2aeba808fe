/** Plays many seeds, several at a time: most of a run is waiting. */
import { type RunResult, runSeed } from './driver.ts';

export interface Many {
  /** The first seed; the others follow it. */
  first: number;
  count: number;
  tasks: number;
  jobs: number;
  told: (result: RunResult) => void;
}

/** A run that could not be played at all counts as a violation; the others go on. */
export async function runSeeds({ first, count, tasks, jobs, told }: Many): Promise<RunResult[]> {
  const results: RunResult[] = [];
  let next = first;
  const worker = async (): Promise<void> => {
    while (next < first + count) {
      const seed = next;
      next += 1;
      const result = await runSeed(seed, tasks).catch((error: unknown) =>
        broken(seed, tasks, error),
      );
      results.push(result);
      told(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, worker));
  return results;
}

function broken(seed: number, tasks: number, error: unknown): RunResult {
  const what = `the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const violations = [{ kind: 'daemon' as const, what }];
  return { seed, tasks, attempts: 0, struck: [], missed: [], violations, convergeMs: 0, tookMs: 0 };
}
