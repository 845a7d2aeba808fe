/** A line for each run and the closing summary of all. */
import type { RunResult } from './driver.ts';
import { KINDS } from './plan.ts';

export interface Summary {
  seeds: number;
  tasks: number;
  attempts: number;
  violations: number;
  /** How often each kind struck. */
  faults: Record<string, number>;
  missed: number;
  convergeMs: { median: number; max: number };
  runMs: { median: number; max: number };
  failed: { seed: number; keptIn?: string | undefined; violations: string[] }[];
}

export function summarise(results: readonly RunResult[]): Summary {
  const sum = (of: (result: RunResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const struck = results.flatMap((result) => result.struck);
  return {
    seeds: results.length,
    tasks: sum(({ tasks }) => tasks),
    attempts: sum(({ attempts }) => attempts),
    violations: sum(({ violations }) => violations.length),
    faults: Object.fromEntries(
      KINDS.map((kind) => [kind, struck.filter((one) => one === kind).length]),
    ),
    missed: sum(({ missed }) => missed.length),
    convergeMs: spread(results.map(({ convergeMs }) => convergeMs)),
    runMs: spread(results.map(({ tookMs }) => tookMs)),
    failed: results.flatMap(({ seed, keptIn, violations }) =>
      violations.length === 0
        ? []
        : [{ seed, keptIn, violations: violations.map(({ kind, what }) => `${kind}: ${what}`) }],
    ),
  };
}

function spread(values: number[]): { median: number; max: number } {
  const sorted = values.map(Math.round).sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** One run in one line, and in more where it failed. */
export function lineOf(result: RunResult, tasks: number): string {
  const { seed, attempts, struck, violations, convergeMs, tookMs, keptIn } = result;
  const head = `seed ${seed}: ${attempts} attempts, ${struck.join(' ')}; at rest ${seconds(convergeMs)} after healing, ${seconds(tookMs)} in all`;
  if (violations.length === 0) return `${head}: ok`;
  return [
    `${head}: ${violations.length} VIOLATIONS`,
    ...violations.map(({ kind, what }) => `   ${kind}: ${what}`),
    `   again: scripts/faults seeds --seed ${seed} --count 1 --tasks ${tasks}`,
    `   state: ${keptIn}`,
  ].join('\n');
}

export function textOf(summary: Summary): string {
  const faults = Object.entries(summary.faults).filter(([, count]) => count > 0);
  const { convergeMs, runMs } = summary;
  return [
    `seeds ${summary.seeds}, tasks ${summary.tasks}, attempts ${summary.attempts}, violations ${summary.violations}`,
    `faults ${faults.map(([kind, count]) => `${kind} ${count}`).join(', ')}; ${summary.missed} found nothing to hit`,
    `at rest after healing: median ${seconds(convergeMs.median)}, max ${seconds(convergeMs.max)}; a run: median ${seconds(runMs.median)}, max ${seconds(runMs.max)}`,
    ...summary.failed.map(({ seed, keptIn }) => `failed: seed ${seed}, state in ${keptIn}`),
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
