/**
 * Goal: the cluster of the bed is what tests of Towline take it for: Slurm's own answers, a node that computes apart
 * from the one that people log in to, and one home for all. Method: Slurm's commands by themselves, as alice.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { testbed } from '../support/bed.ts';
import { type Cluster, hpc } from '../support/slurm/cluster.ts';
import { makeFakeSlurm } from '../support/slurm/fake-slurm.ts';
import { until } from '../support/until.ts';

let cluster: Cluster;
/** A job whose time is over; the controller looks every half minute. */
let overdue: string;

beforeAll(async () => {
  cluster = await hpc();
  overdue = await cluster.submit(
    '#!/bin/sh\nwhile :; do sleep 0.1; done',
    '--job-name=overdue',
    '--time=1',
  );
  await cluster.becomes(overdue, 'RUNNING');
  await cluster.sh(`scontrol update jobid=${overdue} endtime=now`);
});

afterEach(async () => {
  await cluster.sh('scancel --me --name=bed');
});

afterAll(async () => {
  await cluster.sh('scancel --me --name=overdue');
  await cluster[Symbol.asyncDispose]();
});

const submit = (script: string, ...options: string[]): Promise<string> =>
  cluster.submit(script, '--job-name=bed', ...options);

/** Writes what it is sent, and goes on. */
const STUBBORN = `#!/bin/bash
trap 'echo TERM >>"signals.$SLURM_JOB_ID"' TERM
echo "start \${SLURM_RESTART_COUNT-first}" >>"signals.$SLURM_JOB_ID"
while [ -z "$SLURM_RESTART_COUNT" ]; do sleep 0.1; done`;

const signals = (id: string): Promise<string> => cluster.sh(`cat "signals.${id}" 2>/dev/null || :`);

/** Its first line is there. */
const began = (id: string): Promise<void> =>
  until(async () => (await signals(id)) === 'start first\n');

it('has two nodes that wait for work, and two to log in to', async () => {
  const nodes = await cluster.sh('sinfo -h -N -p short -o "%N %T %c"', 'hpc2');
  expect(nodes).toMatch(
    /^hpcn1 (idle|mixed|allocated|completing) 2\nhpcn2 (idle|mixed|allocated|completing) 2\n$/,
  );
  for (const host of ['hpc', 'hpc2'])
    expect((await testbed('ssh-to', host, 'hostname; id -un')).trim()).toBe(`${host}\nalice`);
});

it('runs Apptainer on a node, and its output is seen from the login nodes', async () => {
  const text = `#!/bin/sh\nhostname\nexec apptainer -q exec --containall --no-home --pwd / '${cluster.image}' sh -c 'echo $0 $((6 * 7))' inside`;
  const id = await submit(
    text,
    '--partition=long',
    '--nodelist=hpcn2',
    '--output=out.%j',
    '--error=err.%j',
  );
  await cluster.becomes(id, 'COMPLETED', 'FAILED');
  expect(await cluster.sh(`cat out.${id}`, 'hpc2')).toBe('hpcn2\ninside 42\n');
  expect(await cluster.state(id)).toBe('COMPLETED');
  expect(await cluster.field(id, 'ExitCode')).toBe('0:0');
});

it('ends a job by TERM, which the batch script gets too, and then KILL', async () => {
  const id = await submit(STUBBORN);
  await began(id);
  await cluster.sh(`scancel ${id}`);
  await cluster.becomes(id, 'COMPLETING');
  await cluster.becomes(id, 'CANCELLED');
  expect(await signals(id)).toBe('start first\nTERM\n');
  expect(await cluster.field(id, 'ExitCode')).toBe('0:9');
});

it('runs a requeued job again under its id, and one that must not be requeued not', async () => {
  const id = await submit(STUBBORN, '--requeue', '--open-mode=append');
  const other = await submit(STUBBORN, '--no-requeue');
  await Promise.all([began(id), began(other)]);
  await expect(cluster.sh(`scontrol requeue ${other}`)).rejects.toThrow('presently disabled');
  await cluster.sh(`scontrol requeue ${id}`);
  await cluster.becomes(id, 'PENDING');
  // the real wait is two minutes
  await cluster.sh(`scontrol update jobid=${id} starttime=now`);
  await cluster.becomes(id, 'COMPLETED');
  expect(await signals(id)).toBe('start first\nTERM\nstart 1\n');
  expect(await cluster.field(id, 'Restarts')).toBe('1');
});

it('folds what waits of an array and gives each its own id', async () => {
  const id = await submit(
    '#!/bin/sh\necho "$SLURM_ARRAY_TASK_ID" >"element.$SLURM_JOB_ID"',
    '--array=0-3',
    '--hold',
  );
  expect(await cluster.sh(`squeue -h -j ${id} -o '%i|%T|%r'`)).toBe(
    `${id}_[0-3]|PENDING|JobHeldUser\n`,
  );
  expect(await cluster.sh(`squeue -h -r -j ${id} -o %i`)).toBe(
    [0, 1, 2, 3].map((n) => `${id}_${n}\n`).join(''),
  );
  await cluster.sh(`scontrol release ${id}`);
  await until(async () => (await cluster.sh(`squeue -h -j ${id}`)) === '');
  expect(await cluster.sh(`cat element.${id}`)).toBe('3\n');
});

it('refuses what it refuses, and takes what can never start', async () => {
  const script = '#!/bin/sh\ntrue';
  await expect(submit(script, '--partition=nosuch')).rejects.toThrow(
    'Invalid partition name specified',
  );
  await expect(submit(script, '--gpus-per-task=1')).rejects.toThrow('Invalid generic resource');
  await expect(cluster.sh('sacct')).rejects.toThrow('Slurm accounting storage is disabled');
  const id = await submit(script, '--partition=minute', '--time=60');
  const reason = (): Promise<string> => cluster.sh(`squeue -h -j ${id} -o '%T|%r'`);
  await until(
    async () => (await reason()) === 'PENDING|PartitionTimeLimit\n',
    () => 'no end of the wait',
  );
});

it('ends a job whose time is over, and says that it was for that', async () => {
  await cluster.becomes(overdue, 'TIMEOUT');
  expect(await cluster.field(overdue, 'Reason')).toBe('TimeLimit');
  expect(await cluster.sh(`cat slurm-${overdue}.out`)).toContain('DUE TO TIME LIMIT');
});

/** What is asked of both; the loops end when the job does. */
const FORMS = `cd "$(mktemp -d)"
ask() { echo "\\$ $*"; "$@" 2>&1; echo "code $?"; }
printf '#!/bin/sh\\nexit 3\\n' >ends; echo plain >plain
id=$(sbatch --parsable --no-requeue --job-name=bed --hold ends)
many=$(sbatch --parsable --array=1-3,5 --job-name=bed --hold ends)
for job in $id $many; do
  ask squeue -h -j $job -o '%i|%T|%r|%S|%j|%u|%P|%F|%K|%e|%N'
  ask squeue -h -r -j $job -o '%i|%T|%r|%j|%F|%K'
  ask scontrol release $job
  while squeue -h -j $job | grep -q .; do sleep 0.1; done
done
ask squeue -h -r -t all -j $many -o '%i|%T|%r|%j' | sort
ask squeue -h --me -n bed -t all -j $id -o '%i|%T|%r|%S|%e|%V|%j'
ask scontrol show job $id -o | tr ' ' '\\n' | grep -E '^(JobId|JobName|JobState|Reason|Requeue|Restarts|ExitCode|Partition|SubmitTime|EndTime|code)' | LC_ALL=C sort
ask scancel $id; ask scancel 999999; ask squeue -h -j 999999; ask squeue -h -j 999999,$id
ask scontrol requeue $id; ask scontrol requeue 999999; ask scontrol show job 999999; ask scontrol show partition nosuch
ask sbatch --parsable --partition=nosuch ends; ask sbatch --nosuch ends; ask sbatch plain; ask sbatch none
ask sbatch --parsable --array=5000 ends; ask sacct -P -n; ask sinfo --version; ask sinfo -h -o '%P|%a'
ask sbatch ends | sed "s/[0-9][0-9]*/N/g"
echo ids $id $many`;

it('is imitated by the fake of its commands, word by word', async () => {
  await using fake = await makeFakeSlurm({ on: 'hpc' });
  await fake.set('partitions', 'short long minute');
  await fake.set('first_id', 70_001);
  const [real, imitated] = await Promise.all([
    cluster.sh(FORMS),
    cluster.sh(`${fake.setup}\n${FORMS}`),
  ]);
  expect(blurred(imitated)).toEqual(blurred(real));
  expect(blurred(real).length).toBeGreaterThan(60);
});

/** Without what differs from run to run: ids and times. */
function blurred(text: string): string[] {
  const [id = '', many = ''] = /ids (\d+) (\d+)\n$/.exec(text)?.slice(1) ?? [];
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]{8}/g, 'TIME')
    .replaceAll(new RegExp(`\\b${id}\\b`, 'g'), 'ID')
    .replaceAll(new RegExp(`\\b${many}(?=\\b|_)`, 'g'), 'MANY')
    .split('\n');
}
