/** Two ways of doing the same, in turn: what is slow today is slow for both. */
import { type Rounds, turns } from './rounds.ts';

export interface Scenario extends AsyncDisposable {
  ours: Way;
  theirs: Way;
  /** What one run of ours is made of, measured apart. */
  parts(): Promise<Record<string, string>>;
}

export interface Way {
  label: string;
  /** One whole run; rejects when it did not do what it should. */
  run(): Promise<void>;
}

interface Figures {
  label: string;
  median: number;
  min: number;
  max: number;
}

export interface Result {
  name: string;
  rounds: number;
  ours: Figures;
  theirs: Figures;
  /** Median of ours/theirs, pair by pair. */
  ratio: number;
  parts: Record<string, string>;
}

export async function compare(name: string, scenario: Scenario, rounds: Rounds): Promise<Result> {
  const { ours, theirs } = scenario;
  await ours.run();
  await theirs.run();
  const pairs: [number, number][] = [];
  for (const _ of turns(rounds)) pairs.push([await timed(ours), await timed(theirs)]);
  return {
    name,
    rounds: pairs.length,
    ours: figures(
      ours.label,
      pairs.map(([a]) => a),
    ),
    theirs: figures(
      theirs.label,
      pairs.map(([, b]) => b),
    ),
    ratio: median(pairs.map(([a, b]) => a / b)),
    parts: await scenario.parts(),
  };
}

/** Milliseconds of one run. */
export async function timed(way: Pick<Way, 'run'>): Promise<number> {
  const began = performance.now();
  await way.run();
  return performance.now() - began;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function figures(label: string, values: number[]): Figures {
  return { label, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
