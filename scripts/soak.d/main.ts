/** Loads a daemon for so many minutes, looks at it after each, and says at the end whether all of it was flat. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import {
  COUNTS,
  judgeFlat,
  type Sample,
  SIZES,
  type Verdict,
} from '../../test/support/soak/judge.ts';
import { soak } from '../../test/support/soak/soak.ts';

const MINUTE_MS = 60_000;
/** With fewer looks a third is too little to tell growth from chance. */
const MINUTES_MIN = 4;
const MIB = 1024 * 1024;

const COLUMNS: readonly (readonly [title: string, text: (sample: Sample) => string])[] = [
  ['tasks', ({ tasks }) => String(tasks)],
  ['resident MiB', ({ residentBytes }) => (residentBytes / MIB).toFixed(1)],
  ['handles', ({ handles }) => String(handles)],
  ['threads', ({ threads }) => String(threads)],
  ['remote processes', ({ remoteProcesses }) => String(remoteProcesses)],
  ['remote directories', ({ remoteDirectories }) => String(remoteDirectories)],
  ['store MiB', ({ storeBytes }) => (storeBytes / MIB).toFixed(2)],
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      clients: { type: 'string', default: '3' },
    },
  });
  const [minutes, clients] = [Number(values.minutes), Number(values.clients)];
  if (!Number.isInteger(minutes) || minutes < MINUTES_MIN || !(clients >= 1)) {
    console.error(
      `usage: scripts/soak [--minutes N] [--clients N], ${MINUTES_MIN} minutes at least`,
    );
    return 2;
  }
  console.log(row('minute', ...COLUMNS.map(([title]) => title)));
  console.log(`|${'---|'.repeat(COLUMNS.length + 1)}`);
  let minute = 0;
  const samples = await soak({
    rounds: minutes,
    clients,
    round() {
      const until = performance.now() + MINUTE_MS;
      return () => performance.now() < until;
    },
    onSample(sample) {
      minute += 1;
      console.log(row(String(minute), ...COLUMNS.map(([, text]) => text(sample))));
    },
  });
  const warmUp = Math.max(1, Math.floor(minutes / 10));
  const verdicts = judgeFlat(samples, [...COUNTS, ...SIZES], warmUp);
  console.log(`\nafter ${warmUp} to warm up: the medians of the first and of the last third`);
  for (const verdict of verdicts) console.log(told(verdict));
  return verdicts.every(({ flat }) => flat) ? 0 : 1;
}

function told({ figure, first, last, most, flat }: Verdict): string {
  const [from, to, limit] = [first, last, most].map(Math.round);
  return `${flat ? 'flat   ' : 'GROWS  '} ${figure}: ${from}, then ${to} (at most ${limit})`;
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

process.exitCode = await main();
