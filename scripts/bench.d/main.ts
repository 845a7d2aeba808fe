/**
 * Runs the scenarios and prints their figures: medians of alternating rounds and their ratio, as a
 * table or JSON, and with --write into docs/performance.md between its marks, pictures beside it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { compare, type Result } from './compare.ts';
import { type Growth, growthTable } from './growth/growth.ts';
import { GROWTHS } from './growth/growths.ts';
import { plotFile } from './growth/plot.ts';
import { type Measure, measureTable } from './measure.ts';
import { type RaceOptions, type RaceResult, raceTable } from './race.ts';
import type { Rounds } from './rounds.ts';
import { BY_NAME_ONLY, MEASURES, RACES, SCENARIOS } from './scenarios.ts';
import type { Size } from './size.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const PAGE = join(DOCS, 'performance.md');
const MARKS = { begin: '<!-- figures -->', end: '<!-- end of figures -->' };

/** A scenario whose rounds are long has fewer of them. */
const USUAL: Rounds = { most: 5, withinMs: 45_000 };

type Outcome = Result | RaceResult | Measure | Growth;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      tasks: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
    },
  });
  const size: Size = values.short ? 'short' : 'whole';
  const most = Number(values.rounds ?? USUAL.most);
  const rounds = values.rounds === undefined ? USUAL : { most, withinMs: Infinity };
  const tasks = Number(values.tasks);
  const known = [SCENARIOS, RACES, MEASURES, GROWTHS].flatMap((kind) => Object.keys(kind));
  // a name stands for all that begin with it, as `staging` does
  const wanted = positionals.map((word) =>
    known.filter((name) => name === word || name.startsWith(`${word}-`)),
  );
  const problem = wrong(positionals, wanted, { '--rounds': most, '--tasks': tasks });
  if (problem !== undefined || (values.short && values.write)) {
    console.error(problem ?? 'figures of --short are not for docs/performance.md');
    console.error(`scenarios: ${known.join(', ')}; see scripts/bench --help`);
    return 2;
  }
  const results: Outcome[] = [];
  const all = known.filter((name) => !BY_NAME_ONLY.has(name));
  for (const name of positionals.length > 0 ? new Set(wanted.flat()) : all) {
    const began = performance.now();
    for await (const outcome of outcomesOf(name, { rounds, tasks, size })) {
      // told at once: the next one takes minutes, or fails
      if (values.json) results.push(outcome);
      else console.log(textOf(outcome));
      // a long run that breaks keeps what it had
      if (values.write) write(outcome);
    }
    console.error(`${name}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
  if (values.json) console.log(JSON.stringify(results, null, 2));
  return 0;
}

/** What no run can be made of. */
function wrong(
  words: readonly string[],
  wanted: readonly string[][],
  counts: Readonly<Record<string, number>>,
): string | undefined {
  const unknown = words.find((_, index) => wanted[index]?.length === 0);
  if (unknown !== undefined) return `there is no scenario ${unknown}`;
  const odd = Object.keys(counts).find((name) => !(Number(counts[name]) > 0));
  return odd === undefined ? undefined : `${odd} takes a number above 0`;
}

async function* outcomesOf(name: string, options: RaceOptions): AsyncGenerator<Outcome> {
  const open = SCENARIOS[name];
  if (open !== undefined) {
    await using scenario = await open(options.size);
    yield await compare(name, scenario, options.rounds);
  }
  yield* RACES[name]?.(options) ?? [];
  const measured = await (MEASURES[name]?.(options.size) ?? GROWTHS[name]?.());
  if (measured !== undefined) yield measured;
}

function textOf(result: Outcome, picture?: string): string {
  if ('racers' in result) return raceTable(result);
  if ('points' in result) return growthTable(result, picture);
  return 'rows' in result ? measureTable(result) : tableOf(result);
}

function tableOf({ name, rounds, ours, theirs, ratio, parts }: Result): string {
  const row = (...cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    `### ${name} (${rounds} rounds each, in turn)`,
    '',
    row('', 'median', 'min', 'max'),
    '|---|---|---|---|',
    row(ours.label, ms(ours.median), ms(ours.min), ms(ours.max)),
    row(theirs.label, ms(theirs.median), ms(theirs.min), ms(theirs.max)),
    row('**ratio** (median of the pairs)', ratio.toFixed(2), '', ''),
    '',
    row('part of one run', 'figure'),
    '|---|---|',
    ...Object.entries(parts).map(([part, figure]) => row(part, figure)),
    '',
  ].join('\n');
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

/** Tables of other names stay as they are. */
function write(outcome: Outcome): void {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(MARKS.begin);
  const end = page.indexOf(MARKS.end);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost its marks`);
  const before = page.slice(0, begin + MARKS.begin.length);
  const there = page.slice(begin + MARKS.begin.length, end).split(/^(?=### )/m);
  const kept = there.map((table) => table.trim()).filter((table) => table !== '');
  const byName = new Map(kept.map((table) => [/^### (.*?) \(\d+ round/.exec(table)?.[1], table]));
  byName.set(outcome.name, textOf(outcome, draw(outcome)).trim());
  writeFileSync(PAGE, `${before}\n\n${[...byName.values()].join('\n\n')}\n\n${page.slice(end)}`);
  console.error(`wrote ${PAGE}`);
}

/** Gives its path as the page names it; only a growth has one. */
function draw(result: Outcome): string | undefined {
  if (!('points' in result)) return undefined;
  const picture = `growth/${result.name}.svg`;
  mkdirSync(join(DOCS, 'growth'), { recursive: true });
  writeFileSync(join(DOCS, picture), plotFile(result));
  return picture;
}

process.exitCode = await main();
