/**
 * Many one-second tasks on the real Slurm of the bed: a plain `sbatch` for each by a shell loop on the login node, as
 * people write it, against Towline with arrays and with pilots. All run the same command in the same container. Beside
 * the time, what the controller was asked, by its own counts (sdiag), and whether each task was started once.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostSection, onHost, testbed } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { type Cluster, hpc } from '../../test/support/slurm/cluster.ts';
import { until } from '../../test/support/until.ts';
import {
  hold,
  type Laps,
  type RaceOptions,
  type RaceResult,
  type Racer,
  resultOf,
} from './race.ts';
import { overSsh } from './ssh.ts';

/** Two nodes with two cores each run four tasks at a time: some pilots for each, so that none ends long after the others. */
const PILOTS = 16;
const POLL_S = 2;
const TASK = 'echo start >>/ledger/starts; sleep 1';

/** Counts of one run by what was asked, from both ends. */
type Requests = Record<'submissions' | 'of the user' | 'all', number>;

const WAYS = {
  pilots: 'Towline, `pilot_tasks`',
  array: 'Towline, `array = auto`',
  loop: 'a shell loop of `sbatch`',
} as const;

type Way = keyof typeof WAYS;

export async function* raceSlurm({ rounds, tasks }: RaceOptions): AsyncGenerator<RaceResult> {
  await testbed('up', 'hpc');
  await using cluster = await hpc();
  await using array = daemonWith({ array: 'auto' });
  await using pilots = daemonWith({ pilot_tasks: String(Math.ceil(tasks / PILOTS)) });
  await array.start();
  await pilots.start();
  const asked: Record<Way, Requests[]> = { pilots: [], array: [], loop: [] };
  const ground: Ground = { cluster, tasks, note: (way, requests) => asked[way].push(requests) };
  const times = await hold({
    rounds,
    before: async () => {},
    racers: [ours(pilots, 'pilots', ground), ours(array, 'array', ground), loop(ground)],
  });
  const ways = Object.keys(WAYS) as Way[];
  yield resultOf(times, {
    name: `slurm, ${tasks} tasks of one second`,
    entries: ways.map((way) => ({ label: WAYS[way], lap: 'all' })),
    notes: [requestTable(ways, asked), ...WORDS],
  });
}

const WORDS = [
  'From the first word of the one who submits to the end of the last task, on two nodes with two cores each that are two ' +
    'cores in truth: four tasks run at a time, so that it cannot be less than a quarter of a second for each. In it is, of ' +
    'Towline only, that what each task printed and how it ended is here. Each way the command runs in the same image by ' +
    '`apptainer exec`; in each round the ledger had one start for each task. Requests are those of one round, as the controller ' +
    `counts them: the loop asks \`squeue\` every ${POLL_S} s whether all is over, as often as Towline does while something changes.`,
];

interface Ground {
  cluster: Cluster;
  tasks: number;
  note: (way: Way, requests: Requests) => void;
}

function daemonWith(keys: Record<string, string>): TestDaemon {
  const common = { scheduler: 'slurm', partition: 'long', queue_poll_min: `${POLL_S}s` };
  return makeDaemon({ hosts: { hpc: { on: 'hpc', keys: { ...common, ...keys } } } });
}

function ours(daemon: TestDaemon, way: Way, ground: Ground): Racer {
  const { cluster, tasks } = ground;
  const file = join(daemon.dir, 'tasks.ndjson');
  const spec = {
    image: cluster.image,
    command: ['sh', '-c', TASK],
    binds: [`${cluster.dir}:/ledger`],
    cpus: 1,
    time: '1m',
  };
  writeFileSync(file, `${JSON.stringify(spec)}\n`.repeat(tasks));
  return racer(way, ground, async () => {
    const submitted = await daemon.cli('submit', '--file', file);
    assert.equal(submitted.code, 0, submitted.stderr);
    const waited = await daemon.cli('wait', ...submitted.stdout.trim().split('\n'));
    assert.equal(waited.code, 0, waited.stderr.slice(-500));
  });
}

function loop(ground: Ground): Racer {
  const { cluster, tasks } = ground;
  const job = `#!/bin/sh
apptainer exec --containall --cleanenv --bind '${cluster.dir}:/ledger' '${cluster.image}' sh -c '${TASK}'
`;
  const text = `cd '${cluster.dir}' && mkdir -p logs && cat >job.sh <<'JOB'
${job}JOB
i=0
while [ "$i" -lt ${tasks} ]; do
  sbatch --parsable --partition=long --ntasks=1 --cpus-per-task=1 --time=1 --output=logs/%j job.sh || exit 1
  i=$((i + 1))
done
while [ -n "$(squeue --me -h)" ]; do sleep ${POLL_S}; done
`;
  return racer('loop', ground, () => overSsh(hostSection('hpc'), text));
}

/** Runs one way, between counts that begin anew, and holds the ledger to it. */
function racer(way: Way, { cluster, tasks, note }: Ground, run: () => Promise<void>): Racer {
  return {
    label: WAYS[way],
    async run(): Promise<Laps> {
      await untilIdle();
      await cluster.sh('rm -f starts');
      await onHost('hpc', 'sdiag', '--reset');
      const began = performance.now();
      await run();
      const all = performance.now() - began;
      note(way, requestsOf(await onHost('hpc', 'sdiag')));
      const starts = Number(await cluster.sh('wc -l <starts'));
      assert.equal(starts, tasks, `${WAYS[way]}: starts by the ledger`);
      return { all };
    },
  };
}

/** What the way before has left to do is not done in the time of this one. */
async function untilIdle(): Promise<void> {
  const idle = async (): Promise<boolean> => (await onHost('hpc', 'squeue', '-h')) === '';
  await until(idle, () => 'an empty queue', 120_000);
  await onHost('hpc', 'sync');
}

function requestsOf(sdiag: string): Requests {
  const count = (line: string): number =>
    Number(new RegExp(`^\\s*${line}\\s+\\(\\s*\\d+\\) count:(\\d+)`, 'm').exec(sdiag)?.[1] ?? 0);
  const byUser = [...sdiag.matchAll(/^\s*\S+\s+\(\s*\d+\) count:(\d+)/gm)].map(([, n]) =>
    Number(n),
  );
  const types = sdiag.slice(0, sdiag.indexOf('statistics by user'));
  const byType = [...types.matchAll(/count:(\d+)/g)].map(([, n]) => Number(n));
  assert.ok(byUser.length > 0, `no counts in what sdiag says: ${sdiag.slice(0, 300)}`);
  return {
    submissions: count('REQUEST_SUBMIT_BATCH_JOB'),
    'of the user': count('alice'),
    all: byType.reduce((sum, n) => sum + n, 0),
  };
}

function requestTable(ways: readonly Way[], asked: Record<Way, Requests[]>): string {
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  const span = (counts: number[]): string => {
    const [min, max] = [Math.min(...counts), Math.max(...counts)];
    return min === max ? `${min}` : `${min} to ${max}`;
  };
  const kinds = ['submissions', 'of the user', 'all'] as const;
  return [
    row('requests to the controller', 'submissions', 'all of the user', 'and of the nodes'),
    '|---|---|---|---|',
    ...ways.map((way) =>
      row(WAYS[way], ...kinds.map((kind) => span(asked[way].map((one) => one[kind])))),
    ),
  ].join('\n');
}
