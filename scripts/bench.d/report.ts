/** A measurement and its text. */

export interface Way {
  name: string;
  /** Milliseconds of each round, in order. */
  ms: number[];
  /** Processes and threads begun on the host for one run. */
  processes: number;
}

export interface Report {
  title: string;
  machine: string;
  rounds: number;
  ways: Way[];
  /** Median of the first way divided by that of the second. */
  ratio: number;
  parts: { name: string; value: string }[];
}

/** @throws never: an empty list has no median and gives 0. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1] ?? 0, sorted[middle] ?? 0];
  return (low + high) / 2;
}

/** Two tables: the ways side by side, and what the first one is made of. */
export function reportMarkdown({ title, machine, rounds, ways, ratio, parts }: Report): string {
  const ms = (value: number): string => `${Math.round(value)} ms`;
  return [
    `${title}; ${rounds} rounds, alternately. ${machine}.`,
    '',
    '| way | median | fastest | slowest | processes on the host |',
    '| --- | --- | --- | --- | --- |',
    ...ways.map(
      (way) =>
        `| ${way.name} | ${ms(median(way.ms))} | ${ms(Math.min(...way.ms))} | ${ms(Math.max(...way.ms))} | ${way.processes} |`,
    ),
    '',
    `Ratio of the medians: ${ratio.toFixed(2)}`,
    '',
    '| part of one `towline run` | |',
    '| --- | --- |',
    ...parts.map(({ name, value }) => `| ${name} | ${value} |`),
  ].join('\n');
}
