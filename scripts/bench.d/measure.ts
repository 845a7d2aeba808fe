/** What has no plain tool to be held against: figures, each with what it should be. */

export interface Measure {
  name: string;
  /** What was done, in a sentence. */
  what: string;
  rows: readonly Row[];
}

export interface Row {
  figure: string;
  value: string;
  aim?: string;
}

export function measureTable({ name, what, rows }: Measure): string {
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `### ${name} (1 round)`,
    '',
    what,
    '',
    row('', 'figure', 'aim'),
    '|---|---|---|',
    ...rows.map(({ figure, value, aim = '' }) => row(figure, value, aim)),
    '',
  ].join('\n');
}

/** By rank: 0.99 gives what 99 of 100 do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Half, 99 of 100, and the longest, in milliseconds. */
export function spread(values: readonly number[]): string {
  const [half, most, longest] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1));
  return `p50 ${half} ms, p99 ${most} ms, at most ${longest} ms (${values.length})`;
}
