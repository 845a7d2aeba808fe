/**
 * scripts/faults seeds: random faults on the test bed, each run from a seed. Exit 1 when the oracle found a violation;
 * what failed is kept and can be played again.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runSeeds } from '../../test/seeds/many.ts';
import { lineOf, summarise, textOf } from '../../test/seeds/report.ts';

const USAGE = `usage: scripts/faults seeds [--count M] [--seed S] [--tasks N] [--jobs J] [--json]
  --count M   how many seeds (20)
  --seed S    the first one, the others follow it (1)
  --tasks N   tasks of each run (5)
  --jobs J    runs at a time, at most 8 (3)
  --json      the summary as JSON on stdout`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      tasks: { type: 'string', default: '5' },
      jobs: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [count, first, tasks, jobs] = [values.count, values.seed, values.tasks, values.jobs].map(
    Number,
  );
  const whole = [count, first, tasks, jobs].every(
    (value) => Number.isInteger(value) && Number(value) >= 0,
  );
  if (!whole || !count || !tasks || !jobs || jobs > 8) {
    console.error(USAGE);
    return 2;
  }
  const results = await runSeeds({
    ...{ first: first ?? 1, count, tasks, jobs },
    told: (result) => console.error(lineOf(result, tasks)),
  });
  const summary = summarise(results);
  console.log(values.json ? JSON.stringify(summary, null, 2) : textOf(summary));
  return summary.violations === 0 ? 0 : 1;
}

process.exitCode = await main();
