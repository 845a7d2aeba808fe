/**
 * Goal: the fake of Slurm's commands behaves as the tests of Towline take it to, in the forms that the real ones
 * print (docs/slurm-bed.md). Method: its commands are called on this machine, as the daemon would on a login node.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type FakeSlurm, makeFakeSlurm } from '../support/slurm/fake-slurm.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'towline-fake-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Answer {
  code: number | null;
  out: string;
  err: string;
}

/** Calls a command with the fake first on the PATH. */
function ask(slurm: FakeSlurm, command: string, ...args: string[]): Answer {
  const env = { ...process.env, PATH: `${slurm.bin}:${process.env['PATH']}` };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: dir, env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

/** A batch script by its text. */
function script(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  return file;
}

const states = async (slurm: FakeSlurm): Promise<string[]> =>
  (await slurm.jobs()).map(({ state }) => state);

const allAre = async (slurm: FakeSlurm, state: string): Promise<void> =>
  until(async () => (await states(slurm)).every((one) => one === state));

const row = (slurm: FakeSlurm, ...args: string[]): string =>
  ask(slurm, 'squeue', '-h', '-o', '%i|%T|%r|%j', ...args).out;

/** Not a zombie either: who reaps an orphan here is not the fake's doing. */
function lives(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !readFileSync(stat, 'utf8').includes(') Z ');
}

/** Waits like a payload that is asked to end and does so. */
const PATIENT = 'trap "exit 3" TERM; echo began; while :; do sleep 0.05; done';

it('runs a job, tells how it ended, and counts what was asked', async () => {
  await using slurm = await makeFakeSlurm();
  const file = script(
    'ends',
    'echo "$SLURM_JOB_ID $SLURM_JOB_NAME ${SLURM_RESTART_COUNT-never}"; exit 42',
  );
  const sent = ask(
    slurm,
    'sbatch',
    '--parsable',
    '--job-name=towline-a.1',
    '--output=%j.out',
    file,
  );
  expect(sent).toEqual({ code: 0, out: '1\n', err: '' });
  await allAre(slurm, 'FAILED');
  expect(readFileSync(join(dir, '1.out'), 'utf8')).toBe('1 towline-a.1 never\n');
  expect(row(slurm)).toBe('');
  expect(row(slurm, '--me', '-t', 'all')).toBe('1|FAILED|NonZeroExitCode|towline-a.1\n');
  const shown = ask(slurm, 'scontrol', 'show', 'job', '1', '-o').out;
  expect(shown).toMatch(/^JobId=1 JobName=towline-a.1 .*JobState=FAILED .*ExitCode=42:0 /);
  expect(ask(slurm, 'squeue', '-h', '-j', '9')).toMatchObject({
    code: 1,
    err: 'slurm_load_jobs error: Invalid job id specified\n',
  });
  expect((await slurm.calls('sbatch')).length).toBe(1);
  expect((await slurm.calls('sbatch'))[0]?.slice(0, 3)).toEqual([
    'sbatch',
    '--parsable',
    '--job-name=towline-a.1',
  ]);
});

it('folds what waits of an array, and gives each its own number', async () => {
  await using slurm = await makeFakeSlurm();
  await slurm.set('slots', 2);
  const file = script(
    'element',
    'echo "$SLURM_JOB_ID $SLURM_ARRAY_JOB_ID" >$SLURM_ARRAY_TASK_ID.txt; test -e go || exec sleep 100',
  );
  expect(ask(slurm, 'sbatch', '--parsable', '--array=0-4', '--job-name=many', file).out).toBe(
    '5\n',
  );
  expect(row(slurm).split('\n').toSorted().slice(1)).toEqual([
    '5_0|RUNNING|None|many',
    '5_1|RUNNING|None|many',
    '5_[2-4]|PENDING|None|many',
  ]);
  expect(ask(slurm, 'scancel', '5_3').code).toBe(0);
  expect(row(slurm)).toContain('5_[2,4]|PENDING');
  expect(row(slurm, '-r').split('\n').filter(Boolean)).toHaveLength(4);
  await until(() => existsSync(join(dir, '1.txt')));
  expect(readFileSync(join(dir, '1.txt'), 'utf8')).toBe('2 5\n');
  ask(slurm, 'scancel', '5');
  await allAre(slurm, 'CANCELLED');
});

it('ends a job by TERM and then KILL, and all it has started', async () => {
  await using slurm = await makeFakeSlurm();
  await slurm.set('kill_wait', 0);
  const stubborn = script(
    'stubborn',
    'trap "" TERM; (setsid sh -c "echo \\$\\$ >orphan; exec sleep 300" &); sleep 300 & wait; sleep 300',
  );
  ask(slurm, 'sbatch', '--parsable', script('patient', PATIENT));
  ask(slurm, 'sbatch', '--parsable', stubborn);
  const orphan = join(dir, 'orphan');
  await until(() => existsSync(orphan) && readFileSync(orphan, 'utf8') !== '');
  expect(ask(slurm, 'scancel', '--me').code).toBe(0);
  await allAre(slurm, 'CANCELLED');
  expect(lives(readFileSync(orphan, 'utf8').trim())).toBe(false);
  expect(ask(slurm, 'scancel', '77')).toEqual({ code: 0, out: '', err: '' });
});

it('starts nothing while it is held, also when a job that began before ends', async () => {
  await using slurm = await makeFakeSlurm();
  ask(slurm, 'sbatch', '--parsable', script('patient', PATIENT));
  await until(async () => (await states(slurm)).includes('RUNNING'));
  await slurm.set('held', 'yes');
  ask(slurm, 'sbatch', '--parsable', script('plain', 'exit 0'));
  ask(slurm, 'scancel', '1');
  await until(async () => !(await states(slurm)).includes('RUNNING'));
  expect(await states(slurm)).toContain('PENDING');
  await slurm.set('held', 'no');
  await until(async () => (await states(slurm)).includes('COMPLETED'));
});

it('takes a job and loses the answer, or refuses it', async () => {
  await using slurm = await makeFakeSlurm();
  await slurm.set('held', 'yes');
  const file = script('plain', 'exit 0');
  await slurm.fault('sbatch', 'accept-timeout');
  expect(ask(slurm, 'sbatch', '--parsable', file)).toEqual({
    code: 1,
    out: '',
    err: 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n',
  });
  await slurm.fault('sbatch', 'timeout');
  expect(ask(slurm, 'sbatch', '--parsable', file).code).toBe(1);
  await slurm.fault('sbatch', 'banner');
  expect(ask(slurm, 'sbatch', '--parsable', file).out).toMatch(/^\*.*\n.*\n2\n\*/);
  await slurm.fault('sbatch', 'accept-busy');
  expect(ask(slurm, 'sbatch', '--parsable', file)).toMatchObject({ code: 0, out: '3\n' });
  expect(ask(slurm, 'sbatch', '--parsable', '-p', 'nosuch', file).err).toContain(
    'Invalid partition name',
  );
  expect(ask(slurm, 'sbatch', '--nosuch', file).code).toBe(255);
  await slurm.fault('sbatch', 'cluster');
  expect(ask(slurm, 'sbatch', '--parsable', file).out).toBe('4;fake\n');
  await slurm.fault('sbatch', 'accept-hang');
  const hung = spawn(join(slurm.bin, 'sbatch'), ['--parsable', file], {
    cwd: dir,
    stdio: 'ignore',
  });
  await until(async () => (await slurm.jobs()).length === 5);
  expect(hung.exitCode).toBe(null);
  hung.kill('SIGKILL');
  await slurm.set('held', 'no');
  await allAre(slurm, 'COMPLETED');
});

it('has a queue that answers empty, wrongly, with an old job, and accounts that lag', async () => {
  await using slurm = await makeFakeSlurm();
  ask(slurm, 'sbatch', '--parsable', '--job-name=mine', script('plain', 'exit 0'));
  await allAre(slurm, 'COMPLETED');
  const all = ['--me', '-t', 'all'];
  await slurm.fault('squeue', 'empty');
  await slurm.fault('squeue', 'error', 2);
  await slurm.fault('squeue', 'old-job');
  expect(ask(slurm, 'squeue', '-h', ...all)).toEqual({ code: 0, out: '', err: '' });
  expect(ask(slurm, 'squeue', '-h', ...all).code).toBe(1);
  expect(ask(slurm, 'squeue', '-h', ...all).code).toBe(1);
  expect(row(slurm, ...all)).toBe('1|COMPLETED|None|somebody-elses\n');
  expect(row(slurm, ...all)).toBe('1|COMPLETED|None|mine\n');
  const sacct = ['-P', '-n', '-X', '-o', 'JobID,State,ExitCode'];
  expect(ask(slurm, 'sacct', ...sacct)).toMatchObject({
    code: 1,
    err: 'Slurm accounting storage is disabled\n',
  });
  await slurm.set('accounting', 'on');
  await slurm.fault('sacct', 'lag');
  expect(ask(slurm, 'sacct', ...sacct).out).toBe('1|PENDING|0:0\n');
  expect(ask(slurm, 'sacct', ...sacct).out).toBe('1|COMPLETED|0:0\n');
  await slurm.fault('squeue', 'down', 'always');
  expect(ask(slurm, 'squeue').err).toContain('Unable to contact slurm controller');
  await slurm.heal();
  await slurm.forget('1');
  expect(row(slurm, ...all)).toBe('');
});

it('ends a job as the cluster does, and runs it again under its number', async () => {
  await using slurm = await makeFakeSlurm();
  const file = script('again', `echo "run \${SLURM_RESTART_COUNT-0}" >>again.out; ${PATIENT}`);
  const send = (): string => ask(slurm, 'sbatch', '--parsable', '--no-requeue', file).out.trim();
  const [first, second] = [send(), send()];
  const ran = (text: string): Promise<void> =>
    until(
      () =>
        existsSync(join(dir, 'again.out')) && readFileSync(join(dir, 'again.out'), 'utf8') === text,
    );
  await ran('run 0\nrun 0\n');
  expect(ask(slurm, 'scontrol', 'requeue', first).err).toBe(
    `Requested operation is presently disabled for job ${first}\n`,
  );
  await slurm.requeue(first);
  await ran('run 0\nrun 0\nrun 1\n');
  await slurm.end(first, 'OUT_OF_MEMORY', '0:125');
  await slurm.end(second, 'TIMEOUT');
  await until(async () => (await states(slurm)).toSorted().join() === 'OUT_OF_MEMORY,TIMEOUT');
  expect((await slurm.jobs())[0]).toMatchObject({ restarts: 1, exit: '0:125' });
});
