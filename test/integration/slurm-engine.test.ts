/**
 * Goal: whatever Slurm's commands do, an attempt starts once, and its end is told as it was.
 * Method: the whole engine on this machine with the real texts; Slurm is a fake that really runs jobs and does wrong
 * what it is told to; the runtime is a script, and a file the command writes counts its starts (the ledger).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TaskSpec } from '../../src/domain/task.ts';
import type { HostPolicy } from '../../src/engine/settings.ts';
import { slurmJobs } from '../../src/host-settings.ts';
import type { SlurmPolicy } from '../../src/scheduler/slurm/policy.ts';
import { type LocalEngine, startLocalEngine } from '../support/local-engine.ts';
import { shareOf } from '../support/share.ts';
import { type FakeFaults, type FakeSlurm, makeFakeSlurm } from '../support/slurm/fake-slurm.ts';
import { until } from '../support/until.ts';
import { aPolicy } from '../unit/scheduler/slurm/policy.ts';

interface House {
  slurm: FakeSlurm;
  on: LocalEngine;
  policy: Partial<HostPolicy>;
  /** A task that writes one line into the ledger of its name when it starts. */
  submit(name: string, line: string, more?: Partial<TaskSpec>): Promise<{ id: string }>;
  starts(name: string): Promise<number>;
}

async function house(more: Partial<SlurmPolicy> = {}): Promise<House> {
  const slurm = await makeFakeSlurm();
  onTestFinished(() => slurm[Symbol.asyncDispose]());
  const policy: Partial<HostPolicy> = {
    setup: slurm.setup,
    maxTasks: 2_000,
    jobs: slurmJobs(
      aPolicy({ pollMinMs: 50, pollMaxMs: 200, commandTimeoutMs: 5_000, ...more }),
      slurm.setup,
    ),
  };
  const on = await startLocalEngine(policy);
  return {
    ...{ slurm, on, policy },
    submit: (name, line, spec) =>
      on.submit(`echo run >>'${join(on.dir, `ledger-${name}`)}'; ${line}`, { name, ...spec }),
    starts: async (name) => (await on.lines(`ledger-${name}`).catch(() => [])).length,
  };
}

const failureOf = async (on: LocalEngine, id: string) => {
  const { state } = (await on.ended(id)).task;
  return { kind: state.kind, code: 'failure' in state ? state.failure?.code : undefined };
};

const running = async ({ on, slurm }: House, id: string) => {
  await on.state(id, 'running');
  await until(async () => (await on.text(id, 'stdout')).startsWith('up\n'));
  const job = (await slurm.jobs()).find(({ name }) => name.includes(id));
  if (job === undefined) throw new Error(`no job of ${id}`);
  return job;
};

test('a command ends with its own code, its streams are whole, and nothing is left of its job', async () => {
  const at = await house();
  const { id } = await at.submit('one', 'echo out; echo err >&2; exit 42', { cleanup: 'always' });
  const { task } = await at.on.ended(id);
  expect(task.state).toMatchObject({
    kind: 'failed',
    exit: { code: 42 },
    launch: { job: { id: '1', name: expect.stringContaining(`towline-${id}.1`) } },
  });
  expect([await at.on.text(id, 'stdout'), await at.on.text(id, 'stderr')]).toEqual([
    'out\n',
    'err\n',
  ]);
  await until(async () => (await at.on.store.loadLive()).tasks.length === 0);
  expect((await at.slurm.jobs())[0]).toMatchObject({ state: 'FAILED', exit: '42:0' });
});

test('tasks that are alike share an array: thirty cost a few submits', async () => {
  // the fake makes one after the other, and one that is ended meanwhile would leave half of them
  const at = await house({ commandTimeoutMs: 30_000 });
  const tasks = await Promise.all(
    Array.from({ length: 30 }, (_, n) => at.submit(`n${n}`, `echo ${n}`)),
  );
  for (const [n, { id }] of tasks.entries()) {
    expect((await at.on.ended(id)).task.state.kind).toBe('succeeded');
    expect(await at.on.text(id, 'stdout')).toBe(`${n}\n`);
    expect(await at.starts(`n${n}`)).toBe(1);
  }
  expect((await at.slurm.calls('sbatch')).length).toBeLessThan(5);
});

const TAKEN: [fault: FakeFaults['sbatch'], what: string][] = [
  ['accept-hang', 'takes the job and hangs'],
  ['accept-timeout', 'takes the job and says that it timed out'],
  ['accept-killed', 'takes the job and is killed before it says so'],
  ['accept-busy', 'says that it is busy, and an id'],
  ['warning', 'warns, and gives an id'],
  ['banner', 'gives an id among lines of the site'],
];

test.each(shareOf(TAKEN, 2))('row 24: sbatch %s (%s): one job, one start', async (fault) => {
  const at = await house();
  await at.slurm.fault('sbatch', fault);
  const { id } = await at.submit('one', 'exit 0');
  expect((await at.on.ended(id)).task.state.kind).toBe('succeeded');
  expect(await at.starts('one')).toBe(1);
  expect(await at.slurm.jobs()).toHaveLength(1);
});

test('row 24: an answer that was lost while the job waits: it is found by its name, and not submitted again', async () => {
  const at = await house();
  await at.slurm.set('slots', 0);
  await at.slurm.fault('sbatch', 'accept-timeout');
  const { id } = await at.submit('one', 'exit 0');
  await until(async () => 'job' in (await at.on.engine.service.get(id)).task.state);
  await at.slurm.set('slots', 10);
  expect((await at.on.ended(id)).task.state.kind).toBe('succeeded');
  expect(await at.slurm.calls('sbatch')).toHaveLength(1);
  expect(await at.starts('one')).toBe(1);
});

const NOT_TAKEN: [fault: FakeFaults['sbatch']][] = [
  ['timeout'],
  ['busy'],
  ['hang'],
  ['down'],
  ['qos-limit'],
];

test.each(shareOf(NOT_TAKEN, 1))(
  'row 24: sbatch that takes nothing (%s) is asked again when that is known',
  async (fault) => {
    const at = await house();
    await at.slurm.fault('sbatch', fault);
    const { id } = await at.submit('one', 'exit 0');
    expect((await at.on.ended(id)).task.state.kind).toBe('succeeded');
    expect(await at.starts('one')).toBe(1);
    expect(await at.slurm.jobs()).toHaveLength(1);
  },
);

test('SLURM_REFUSED: what Slurm will not run ends the task with its words', async () => {
  const at = await house();
  await at.slurm.fault('sbatch', 'invalid-partition');
  const { id } = await at.submit('one', 'exit 0');
  expect(await failureOf(at.on, id)).toEqual({ kind: 'error', code: 'SLURM_REFUSED' });
  expect(await at.starts('one')).toBe(0);
});

const NO_ANSWER: [fault: FakeFaults['squeue']][] = [
  ['empty'],
  ['error'],
  ['timeout'],
  ['hang'],
  ['down'],
  ['old-job'],
];

test.each(shareOf(NO_ANSWER, 2))(
  'row 25: squeue that is %s ends nothing and has nothing submitted again',
  async (fault) => {
    const at = await house();
    await at.slurm.fault('squeue', fault, 'always');
    await at.slurm.set('slots', 1);
    const first = await at.submit(
      'first',
      `echo up; while ! [ -e '${at.on.dir}/go' ]; do sleep 0.1; done`,
    );
    await running(at, first.id);
    const second = await at.submit('second', 'exit 0');
    const asked = (await at.slurm.calls('squeue')).length;
    await until(async () => (await at.slurm.calls('squeue')).length > asked + 3, undefined, 60_000);
    expect((await at.on.engine.service.get(first.id)).task.state.kind).toBe('running');
    expect((await at.on.engine.service.get(second.id)).task.state.kind).toBe('launching');
    await at.slurm.heal();
    await writeFile(join(at.on.dir, 'go'), '');
    await at.slurm.set('slots', 10);
    for (const { id } of [first, second])
      expect((await at.on.ended(id)).task.state.kind).toBe('succeeded');
    expect([await at.starts('first'), await at.starts('second')]).toEqual([1, 1]);
  },
  120_000,
);

const ENDS = [
  ['NODE_FAIL', 'interrupted', 'SLURM_NODE_FAIL'],
  ['PREEMPTED', 'interrupted', 'SLURM_PREEMPTED'],
  ['BOOT_FAIL', 'interrupted', 'SLURM_BOOT_FAIL'],
  ['DEADLINE', 'interrupted', 'SLURM_DEADLINE'],
  ['CANCELLED', 'interrupted', 'SLURM_CANCELLED'],
  ['TIMEOUT', 'failed', 'TASK_TIME_LIMIT'],
  ['OUT_OF_MEMORY', 'failed', 'TASK_OUT_OF_MEMORY'],
] as const;

test.each(shareOf(ENDS, 2))(
  'row 25: a job that ends as %s with 0:0 is %s: %s',
  async (state, kind, code) => {
    const at = await house();
    const { id } = await at.submit('one', 'echo up; sleep 300');
    const job = await running(at, id);
    await at.slurm.end(job.id, state);
    expect(await failureOf(at.on, id)).toEqual({ kind, code });
    expect(await at.on.text(id, 'stdout')).toBe('up\n');
  },
);

test('SLURM_REQUEUED: the second run of a job exits before the payload, and a new attempt follows by policy', async () => {
  const at = await house();
  await at.slurm.set('requeue_delay', 5);
  const line = 'echo up; sleep 300';
  const { id } = await at.submit('one', line, { retries: 1, retryOn: ['interrupted'] });
  const job = await running(at, id);
  await at.slurm.requeue(job.id);
  await until(async () => (await at.on.engine.service.get(id)).task.state.attempt === 2);
  const { history } = (await at.on.engine.service.get(id)).task;
  expect(history[0]).toMatchObject({ result: 'interrupted', failure: { code: 'SLURM_REQUEUED' } });
  // its directory was cleaned away: the log of a second run has no place
  await until(
    async () => (await at.slurm.jobs()).find((one) => one.id === job.id)?.state === 'FAILED',
  );
  await until(async () => (await at.starts('one')) === 2);
  await at.on.engine.service.cancel(id);
  await at.on.ended(id);
});

test('cancelled while it waits, while it is submitted, and while it runs: nothing is left', async () => {
  const at = await house();
  const up = await at.submit('running', 'echo up; sleep 300');
  await running(at, up.id);
  await at.slurm.set('held', 'yes');
  const waiting = await at.submit('waiting', 'exit 0');
  await until(async () => (await at.slurm.jobs()).some(({ name }) => name.includes(waiting.id)));
  await at.slurm.fault('sbatch', 'accept-hang');
  const submitting = await at.submit('submitting', 'exit 0');
  await until(async () => (await at.slurm.calls('sbatch')).length === 3);
  for (const { id } of [up, waiting, submitting]) await at.on.engine.service.cancel(id);
  for (const { id } of [up, waiting, submitting])
    expect((await at.on.ended(id)).task.state.kind).toBe('cancelled');
  let jobs = await at.slurm.jobs();
  await until(
    async () => (jobs = await at.slurm.jobs()).every(({ state }) => !/PENDING|RUNNING/.test(state)),
    () => JSON.stringify(jobs),
  );
  expect(await at.starts('waiting')).toBe(0);
  expect(await at.starts('submitting')).toBeLessThan(2);
});

test('a controller that is away while a job is to be ended is asked again', async () => {
  const at = await house();
  const { id } = await at.submit('one', 'echo up; sleep 300');
  await running(at, id);
  await at.slurm.fault('scancel', 'down', 2);
  await at.on.engine.service.cancel(id);
  expect((await at.on.ended(id)).task.state.kind).toBe('cancelled');
  expect((await at.slurm.calls('scancel')).length).toBeGreaterThan(1);
  // the job is also told by its own files, and may have ended by that
  expect((await at.slurm.jobs())[0]?.state).toMatch(/^(CANCELLED|FAILED)$/);
});

test('the engine is restarted while jobs wait and run: they are taken up, and submitted once', async () => {
  const at = await house();
  const up = await at.submit('running', 'echo up; while ! [ -e go ]; do sleep 0.1; done; echo end');
  await running(at, up.id);
  await at.slurm.set('held', 'yes');
  const waiting = await at.submit('waiting', 'exit 0');
  await until(async () => 'job' in (await at.on.engine.service.get(waiting.id)).task.state);
  await at.on.restart();
  await at.slurm.set('held', 'no');
  expect((await at.on.ended(waiting.id)).task.state.kind).toBe('succeeded');
  await at.on.engine.service.cancel(up.id);
  await at.on.ended(up.id);
  expect((await at.slurm.calls('sbatch')).length).toBe(2);
  expect([await at.starts('running'), await at.starts('waiting')]).toEqual([1, 1]);
});

test('a pilot that dies loses nothing: what it had not started goes to another', async () => {
  const at = await house({ pilotTasks: 10 });
  const tasks = await Promise.all(
    Array.from({ length: 6 }, (_, n) =>
      at.submit(`n${n}`, n === 2 ? 'echo up; sleep 300' : 'echo up'),
    ),
  );
  await at.on.state(tasks[2]?.id ?? '', 'running');
  const [pilot] = await at.slurm.jobs();
  await at.slurm.end(pilot?.id ?? '', 'NODE_FAIL');
  expect(await failureOf(at.on, tasks[2]?.id ?? '')).toEqual({
    kind: 'interrupted',
    code: 'SLURM_NODE_FAIL',
  });
  for (const [n, { id }] of tasks.entries()) {
    if (n !== 2) expect((await at.on.ended(id)).task.state.kind).toBe('succeeded');
    expect(await at.starts(`n${n}`)).toBe(1);
  }
  expect((await at.slurm.calls('sbatch')).length).toBeLessThan(4);
});

test('of a pilot one task is cancelled, and the others go on', async () => {
  const at = await house({ pilotTasks: 10 });
  const tasks = await Promise.all(
    ['echo up; sleep 300', 'echo up', 'echo up'].map((line, n) => at.submit(`n${n}`, line)),
  );
  const [first, second, third] = tasks.map(({ id }) => id) as [string, string, string];
  await at.on.state(first, 'running');
  await at.on.engine.service.cancel(third);
  await at.on.engine.service.cancel(first);
  expect((await at.on.ended(first)).task.state.kind).toBe('cancelled');
  expect((await at.on.ended(second)).task.state.kind).toBe('succeeded');
  expect((await at.on.ended(third)).task.state.kind).toBe('cancelled');
  expect(await at.starts('n2')).toBe(0);
  expect(await at.slurm.jobs()).toHaveLength(1);
});
