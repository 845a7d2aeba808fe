/** The scenarios of scripts/bench: measured, printed as a table or JSON, and written into the docs. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { REPO } from './bench-daemon.ts';
import { benchRun } from './bench-run.ts';
import type { Report } from './report.ts';
import { reportMarkdown } from './report.ts';

const SCENARIOS: Readonly<Record<string, (rounds: number) => Promise<Report>>> = { run: benchRun };
const DOCUMENT = join(REPO, 'docs/performance.md');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '9' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  const name = positionals[0] ?? 'run';
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (scenario === undefined || !Number.isInteger(rounds) || rounds < 5) {
    console.error(
      `usage: scripts/bench [${Object.keys(SCENARIOS).join('|')}] [--rounds N, at least 5] [--json] [--write]`,
    );
    return 2;
  }
  const report = await scenario(rounds);
  const text = reportMarkdown(report);
  console.log(values.json ? JSON.stringify(report, null, 2) : text);
  if (values.write) await writeSection(name, text);
  return 0;
}

/** Replaces what stands between the marks of the scenario. */
async function writeSection(name: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- bench ${name} -->`, `<!-- end of bench ${name} -->`];
  const document = await readFile(DOCUMENT, 'utf8');
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no marks for ${name}`);
  const next = `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
  await writeFile(DOCUMENT, next);
  console.error(`wrote ${DOCUMENT}`);
}

process.exitCode = await main();
