/**
 * scripts/faults hour: the network away for an hour, in the time of a daemon that lives faster (see
 * test/support/faults/fast-time.ts). The same test as in scripts/test, for longer; prints what was counted.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const USAGE = `usage: scripts/faults hour [--minutes M] [--factor F]
  --minutes M  how long the network is away, in the daemon's time (60)
  --factor F   how much faster all timers of the daemon run (12): an hour takes 60/F minutes. Deadlines get shorter by
               the same factor, so a slow machine needs a smaller one`;

function main(): number {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      factor: { type: 'string', default: '12' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const directory = mkdtempSync(join(tmpdir(), 'towline-hour-'));
  const figures = join(directory, 'figures.json');
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'e2e'];
  const { status } = spawnSync(process.execPath, [...vitest, 'test/faults/hour.test.ts'], {
    stdio: ['ignore', process.stderr, 'inherit'],
    env: {
      ...process.env,
      TOWLINE_TEST_AWAY_MINUTES: values.minutes,
      TOWLINE_TEST_TIME_FACTOR: values.factor,
      TOWLINE_TEST_FIGURES: figures,
    },
  });
  if (status === 0) console.log(readFileSync(figures, 'utf8'));
  rmSync(directory, { recursive: true, force: true });
  return status ?? 1;
}

process.exitCode = main();
