/**
 * Goal: the same tasks on a cluster, by the built daemon and command line. Method: the bed's cluster with real Slurm,
 * whose nodes are not the one that people log in to. The attempts of a task count their starts in a ledger of their own.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type Cluster, hpc } from '../support/slurm/cluster.ts';
import { until } from '../support/until.ts';

let cluster: Cluster;
let daemon: TestDaemon;

beforeAll(async () => {
  cluster = await hpc();
  const keys = { scheduler: 'slurm', partition: 'long', queue_poll_min: '1s' };
  daemon = makeDaemon({ hosts: { hpc: { on: 'hpc', keys } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const sh = (line: string): string[] => ['--', 'sh', '-c', line];
const out = async (id: string): Promise<string> =>
  (await daemon.cli('logs', id, '--stdout')).stdout;

/** The number of the job that runs a task, once it is known. */
async function jobOf(id: string): Promise<string> {
  let job = '';
  await until(
    async () => (job = (await daemon.show(id)).job?.id ?? '') !== '',
    () => `the job of ${id}`,
  );
  return job;
}

async function isUp(id: string): Promise<void> {
  await until(
    async () => (await out(id)).startsWith('up\n'),
    () => `${id} to be up`,
    60_000,
  );
}

/** Waits for the end: its state and the code of its failure. */
async function end(id: string): Promise<[string, string | undefined]> {
  await daemon.cli('wait', id);
  const { state, failure } = await daemon.show(id);
  return [state, failure?.code];
}

const queued = (id: string): Promise<string> =>
  cluster.sh(`squeue --me -h -o '%j %T' | grep '${id}' || :`);

it('a task runs on a node, seen as it goes: streams, code, outputs, usage, and which job it was', async () => {
  const local = mkdtempSync(join(tmpdir(), 'towline-slurm-'));
  const id = await daemon.submit(
    ...['--output', `made.txt:${local}/made.txt`, '--name', 'one', '--cpus', '1.5', MINI],
    ...sh(
      'echo up; while ! [ -e go ]; do sleep 0.1; done; hostname >made.txt; echo err >&2; exit 42',
    ),
  );
  await isUp(id);
  const { remoteDir, job } = await daemon.show(id);
  expect(job).toMatchObject({ name: expect.stringContaining(`towline-${id}.1`), pilot: false });
  expect(job?.command).toContain('--cpus-per-task=2 --partition=long');
  await cluster.sh(`touch '${remoteDir}/work/go'`);
  expect(await end(id)).toEqual(['failed', 'TASK_EXIT_CODE']);
  const shown = await daemon.show(id);
  expect(shown).toMatchObject({ exitCode: 42, usage: { cpuUserMs: expect.any(Number) } });
  expect(await out(id)).toBe('up\n');
  expect((await daemon.cli('logs', id, '--stderr')).stdout).toBe('err\n');
  expect(readFileSync(join(local, 'made.txt'), 'utf8')).not.toBe('');
  expect((await daemon.cli('show', id)).stdout).toMatch(/^job +\d+ \(towline-.*\), submitted /m);
});

it('alike tasks share an array, and leave nothing behind', async () => {
  const line = JSON.stringify({
    image: cluster.image,
    command: ['sh', '-c', 'echo $TOWLINE_TASK'],
  });
  const file = join(mkdtempSync(join(tmpdir(), 'towline-slurm-')), 'tasks.ndjson');
  writeFileSync(file, `${line}\n`.repeat(20));
  const submitted = await daemon.cli('submit', '--file', file);
  const ids = submitted.stdout.trim().split('\n');
  expect(ids).toHaveLength(20);
  expect((await daemon.cli('wait', ...ids)).code).toBe(0);
  for (const id of ids) expect(await out(id)).toBe(`${id}\n`);
  const jobs = await Promise.all(ids.map(async (id) => (await daemon.show(id)).job?.name));
  // one that leaves after 5 s, then 10, 20: a busy machine takes its time to publish
  expect(new Set(jobs).size).toBeLessThan(6);
  const left = `ls -A '${daemon.rootOn('hpc')}'/tasks/*/.jobs 2>/dev/null | grep batch || :`;
  await until(
    async () => (await cluster.sh(left)) === '',
    () => 'the batches to be removed',
  );
});

it('limits: of the task, and of Slurm', async () => {
  const own = await daemon.submit('--time', '2s', cluster.image, ...sh('sleep 60'));
  const slurms = await daemon.submit('--time', '10m', cluster.image, ...sh('echo up; sleep 60'));
  await isUp(slurms);
  // refused when it is over before the controller has read it
  await cluster.sh(`scontrol update jobid=${await jobOf(slurms)} endtime=now+3`);
  expect(await end(own)).toEqual(['failed', 'TASK_TIME_LIMIT']);
  expect(await end(slurms)).toEqual(['failed', 'TASK_TIME_LIMIT']);
});

it('cancelled while it waits and while it runs: Slurm has nothing of it any more', async () => {
  const later = '--sbatch-arg=--begin=now+1hour';
  const waiting = await daemon.submit(later, cluster.image, ...sh('echo never'));
  const running = await daemon.submit(cluster.image, ...sh('trap "" TERM; echo up; sleep 60'));
  await isUp(running);
  await jobOf(waiting);
  await until(async () => (await daemon.show(waiting)).blocked?.reason === 'SLURM_PENDING');
  const shown = (await daemon.cli('show', waiting)).stdout;
  expect(shown).toMatch(/^waiting +for hpc: SLURM_PENDING: job \d+ waits: BeginTime/m);
  await daemon.cli('cancel', waiting, running);
  expect(await end(waiting)).toEqual(['cancelled', undefined]);
  expect(await end(running)).toEqual(['cancelled', undefined]);
  for (const id of [waiting, running]) expect(await queued(id)).not.toMatch(/PENDING|RUNNING/);
  expect(await out(waiting)).toBe('');
});

it('cancelled behind our back, before and after its start', async () => {
  const later = '--sbatch-arg=--begin=now+1hour';
  const waiting = await daemon.submit(later, cluster.image, ...sh('echo never'));
  const running = await daemon.submit(
    cluster.image,
    ...sh('trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'),
  );
  await isUp(running);
  await cluster.sh(`scancel ${await jobOf(waiting)} ${await jobOf(running)}`);
  expect(await end(waiting)).toEqual(['error', 'SLURM_CANCELLED']);
  expect(await end(running)).toEqual(['interrupted', 'SLURM_CANCELLED']);
});

it('requeued: the second run of the job exits before the payload', async () => {
  const ledger = `${cluster.dir}/ledger`;
  const id = await daemon.submit(
    ...['--bind', `${cluster.dir}:/ledger`, cluster.image],
    ...sh('echo run >>/ledger/ledger; echo up; sleep 60'),
  );
  await isUp(id);
  const job = await jobOf(id);
  await cluster.sh(`scontrol update jobid=${job} requeue=1 && scontrol requeue ${job}`);
  expect(await end(id)).toEqual(['interrupted', 'SLURM_REQUEUED']);
  await cluster.sh(`scontrol update jobid=${job} starttime=now`);
  await cluster.becomes(job, 'COMPLETED');
  expect(await cluster.sh(`cat ${ledger}`)).toBe('run\n');
});

it('what Slurm refuses is told with its words, and what a partition never gives before', async () => {
  const refused = await daemon.submit('--partition', 'nosuch', cluster.image, ...sh('true'));
  expect(await end(refused)).toEqual(['error', 'SLURM_REFUSED']);
  expect((await daemon.show(refused)).failure?.message).toContain('invalid partition specified');
});

it('a command inside it runs where its job runs', async () => {
  const id = await daemon.submit(cluster.image, ...sh('echo up; sleep 60'));
  await isUp(id);
  const ran = await daemon.cli('exec', id, ...sh('cat /proc/sys/kernel/hostname; exit 7').slice(0));
  expect(ran.stdout).toMatch(/^hpcn[12]\n$/);
  expect(ran.code).toBe(7);
  await daemon.cli('cancel', id);
});
