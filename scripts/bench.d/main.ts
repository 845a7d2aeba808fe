/**
 * Runs the scenarios and prints their figures: medians of alternating rounds and their ratio, as a
 * table or JSON, and with --write into docs/performance.md between its marks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { compare, type Result } from './compare.ts';
import { SCENARIOS } from './scenarios.ts';

const PAGE = join(import.meta.dirname, '../../docs/performance.md');
const MARKS = { begin: '<!-- figures -->', end: '<!-- end of figures -->' };

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '7' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  const unknown = positionals.filter((name) => !(name in SCENARIOS));
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    console.error(
      `usage: scripts/bench [--rounds N] [--json] [--write] [${Object.keys(SCENARIOS).join('|')}]`,
    );
    return 2;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS);
  const results: Result[] = [];
  for (const name of names) {
    const open = SCENARIOS[name];
    if (open === undefined) continue;
    await using scenario = await open();
    results.push(await compare(name, scenario, rounds));
  }
  const table = results.map(tableOf).join('\n');
  console.log(values.json ? JSON.stringify(results, null, 2) : table);
  if (values.write) write(table);
  return 0;
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

function write(table: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(MARKS.begin);
  const end = page.indexOf(MARKS.end);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost its marks`);
  const before = page.slice(0, begin + MARKS.begin.length);
  writeFileSync(PAGE, `${before}\n\n${table}\n${page.slice(end)}`);
  console.error(`wrote ${PAGE}`);
}

process.exitCode = await main();
