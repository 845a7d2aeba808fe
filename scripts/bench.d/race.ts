/** Several ways of doing the same things, in turn and every other round backwards: ours against each of the others. */
import { median } from './compare.ts';
import { type Rounds, turns } from './rounds.ts';
import type { Size } from './size.ts';

/** Milliseconds by what was done. */
export type Laps = Readonly<Record<string, number>>;

export interface Racer {
  label: string;
  /** Does all of it once. */
  run(round: number): Promise<Laps>;
  /** A slow one need not run in every round. */
  rounds?: number;
}

interface Span {
  median: number;
  min: number;
  max: number;
}

export interface RaceResult {
  name: string;
  rounds: number;
  /** Ours first; `ratio` is ours/theirs, round by round. */
  racers: { label: string; ms: Span; ratio?: Span | undefined }[];
  notes: string[];
}

/** From the command line. */
export interface RaceOptions {
  rounds: Rounds;
  size: Size;
  /** Of a race of many tasks. */
  tasks: number;
}

export interface Race {
  rounds: Rounds;
  /** Ours first. */
  racers: readonly Racer[];
  before: (round: number) => Promise<void>;
}

/** What each racer took for each lap, by round. */
export type Times = ReadonlyMap<string, ReadonlyMap<number, Laps>>;

export async function hold(race: Race): Promise<Times> {
  const times = new Map(race.racers.map(({ label }) => [label, new Map<number, Laps>()]));
  for (const round of turns(race.rounds)) {
    await race.before(round);
    const racers = race.racers.filter(({ rounds }) => round < (rounds ?? race.rounds.most));
    for (const racer of round % 2 === 0 ? racers : racers.toReversed())
      times.get(racer.label)?.set(round, await racer.run(round));
  }
  return times;
}

export interface Table {
  name: string;
  /** Ours first. `title` takes the place of the label. */
  entries: readonly { label: string; lap: string; title?: string }[];
  notes?: string[];
}

export function resultOf(times: Times, { name, entries, notes = [] }: Table): RaceResult {
  const [first] = entries;
  const ours = times.get(first?.label ?? '');
  const racers = entries.map(({ label, lap, title = label }, index) => {
    const own = [...(times.get(label) ?? [])];
    const ms = span(own.map(([, laps]) => laps[lap] ?? Number.NaN));
    const ratios = own.map(
      ([round, laps]) =>
        (ours?.get(round)?.[first?.lap ?? ''] ?? Number.NaN) / (laps[lap] ?? Number.NaN),
    );
    return { label: title, ms, ratio: index === 0 ? undefined : span(ratios) };
  });
  return { name, rounds: ours?.size ?? 0, racers, notes };
}

function span(values: readonly number[]): Span {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function raceTable({ name, rounds, racers, notes }: RaceResult): string {
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  const text = ({ median: middle, min, max }: Span, digits: number, unit: string): string =>
    `${middle.toFixed(digits)}${unit} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
  return [
    `### ${name} (${rounds} rounds, in turn)`,
    '',
    row('', 'median (min to max)', 'Towline / this one'),
    '|---|---|---|',
    ...racers.map(({ label, ms, ratio }) =>
      row(label, text(ms, 0, ' ms'), ratio === undefined ? '' : text(ratio, 2, '')),
    ),
    '',
    ...notes.flatMap((note) => [note, '']),
  ].join('\n');
}
