/** Goal: sbatch is told what the task asks for, no less and in the right order. Method: tasks and their words. */
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../../../src/domain/failure.ts';
import type { Condition } from '../../../../src/domain/slurm/condition.ts';
import { parseCondition } from '../../../../src/domain/slurm/parse-condition.ts';
import type { TaskSpec } from '../../../../src/domain/task.ts';
import type { SlurmPolicy } from '../../../../src/scheduler/slurm/policy.ts';
import { alikeKey, jobRequest } from '../../../../src/scheduler/slurm/request.ts';
import { aSpec } from '../../../support/builders.ts';
import { aPolicy } from './policy.ts';

const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;

function request(spec: Partial<TaskSpec> = {}, policy: Partial<SlurmPolicy> = {}) {
  return jobRequest(aSpec(spec), aPolicy(policy));
}

function wordsOf(spec: Partial<TaskSpec> = {}, policy: Partial<SlurmPolicy> = {}): string[] {
  return [...request(spec, policy).args];
}

function when(text: string): Condition {
  const parsed = parseCondition(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

function refusal(spec: Partial<TaskSpec>, policy: Partial<SlurmPolicy>): string {
  try {
    request(spec, policy);
  } catch (error) {
    if (isAppError(error)) return `${error.code}: ${error.message}`;
  }
  return 'taken';
}

describe('amounts', () => {
  it('a task that asks for nothing is one process, as the cluster has it', () => {
    expect(wordsOf()).toEqual(['--ntasks=1']);
  });

  it.each([
    [0.1, 1],
    [1, 1],
    [1.5, 2],
    [64, 64],
  ])('%d cpus are --cpus-per-task=%d', (cpus, words) => {
    expect(wordsOf({ cpus })).toContain(`--cpus-per-task=${words}`);
  });

  it.each([
    [1, '1M'],
    [2 ** 20, '1M'],
    [2 ** 20 + 1, '2M'],
    [GIB, '1024M'],
    [1.5 * GIB, '1536M'],
  ])('%d bytes are --mem=%s', (memoryBytes, words) => {
    expect(wordsOf({ memoryBytes })).toContain(`--mem=${words}`);
  });

  it('GPUs are counted for the process; none are not spoken of', () => {
    expect(wordsOf({ gpus: 2 })).toContain('--gpus-per-task=2');
    expect(wordsOf({ gpus: 0 }).join(' ')).not.toContain('gpu');
  });

  it.each([
    [1, 1],
    [60_000, 1],
    [60_001, 2],
    [90 * 60_000, 90],
    [24 * HOUR_MS, 1_440],
  ])('a time limit of %d ms is --time=%d', (timeLimitMs, minutes) => {
    expect(wordsOf({ timeLimitMs })).toContain(`--time=${minutes}`);
  });

  it('nodes and processes per node are said, and how many that is', () => {
    expect(wordsOf({ slurm: { nodes: 2, ntasksPerNode: 4 } })).toEqual([
      '--ntasks=8',
      '--nodes=2',
      '--ntasks-per-node=4',
    ]);
    expect(wordsOf({ slurm: { nodes: 3 } })).toEqual(['--ntasks=3', '--nodes=3']);
  });

  it('account, QOS and constraint are those of the task, else of the host', () => {
    const host = { account: 'lab', qos: 'normal', constraint: 'ib' };
    expect(wordsOf({}, host)).toEqual([
      ...['--ntasks=1', '--account=lab', '--qos=normal', '--constraint=ib'],
    ]);
    const slurm = { account: 'mine', qos: 'high', constraint: 'intel&ib' };
    expect(wordsOf({ slurm }, host)).toEqual([
      ...['--ntasks=1', '--account=mine', '--qos=high', '--constraint=intel&ib'],
    ]);
  });
});

describe('the partition', () => {
  const all = {
    partition: 'main',
    partitionShort: 'debug',
    partitionGpu: 'gpu',
    partitionFpga: 'fpga',
  };
  it.each<[string, Partial<TaskSpec>, Partial<SlurmPolicy>, string | undefined]>([
    ['none is configured', { gpus: 1, slurm: { short: true } }, {}, undefined],
    ['an ordinary task', {}, all, 'main'],
    ['a short one', { slurm: { short: true } }, all, 'debug'],
    ['one with GPUs', { gpus: 1 }, all, 'gpu'],
    ['a short one with GPUs', { gpus: 1, slurm: { short: true } }, all, 'gpu'],
    ['one with an FPGA', { slurm: { fpga: true } }, all, 'fpga'],
    ['one with all', { gpus: 1, slurm: { fpga: true, short: true } }, all, 'fpga'],
    [
      'GPUs without a partition for them',
      { gpus: 1, slurm: { short: true } },
      { ...all, partitionGpu: undefined },
      'debug',
    ],
    ['one that names it', { gpus: 1, slurm: { partition: 'own', fpga: true } }, all, 'own'],
    ['words of the task', { slurm: { partition: 'own', args: ['--partition=a,b'] } }, all, 'a,b'],
    ['words of the host', {}, { ...all, args: ['--partition=x'] }, 'x'],
  ])('%s', (_, spec, policy, partition) => {
    const made = request(spec, policy);
    expect(made.partition).toBe(partition);
    const said = made.args.filter((word) => word.startsWith('--partition='));
    expect(said).toEqual(partition === undefined ? [] : [`--partition=${partition}`]);
  });

  it('a task for an FPGA that the host has no partition for is told so', () => {
    const { notes } = request({ slurm: { fpga: true } }, { partition: 'main' });
    expect(notes).toEqual(['host hpc has no partition_fpga: the job goes to partition main']);
  });
});

describe('limits of a partition', () => {
  const limits = {
    partition: 'debug',
    maxCpus: 4,
    maxMemoryBytes: 8 * GIB,
    maxTimeMs: HOUR_MS,
    over: 'deny' as const,
  };
  const asked = { cpus: 4, memoryBytes: 8 * GIB, timeLimitMs: HOUR_MS };

  it('what it just gives may be asked for', () => {
    expect(request(asked, { partition: 'debug', limits: [limits] }).notes).toEqual([]);
  });

  it.each([
    [{ cpus: 4.5 }, '4 cpus (max_cpus', 'the task asks for 4.5 cpus'],
    [{ memoryBytes: 9 * GIB }, '8 GiB of memory (max_memory', 'the task asks for 9 GiB of memory'],
    [
      { timeLimitMs: 2 * HOUR_MS },
      'a time limit of 1h (max_time',
      'the task asks for a time limit of 2h',
    ],
  ])('a limit that is exceeded with over = deny is SLURM_LIMIT: %j', (more, most, wanted) => {
    const told = refusal({ ...asked, ...more }, { partition: 'debug', limits: [limits] });
    expect(told).toBe(
      `SLURM_LIMIT: partition debug of host hpc gives at most ${most} in [partition.hpc.debug]), ${wanted}`,
    );
  });

  it('with over = clamp the job asks for what there is, and a note says so', () => {
    const clamp = { ...limits, over: 'clamp' as const };
    const much = { cpus: 64, memoryBytes: 64 * GIB, timeLimitMs: 48 * HOUR_MS };
    const { args, notes } = request(much, { partition: 'debug', limits: [clamp] });
    expect(args).toEqual([
      ...['--ntasks=1', '--cpus-per-task=4', '--mem=8192M', '--time=60', '--partition=debug'],
    ]);
    expect(notes).toEqual([
      'partition debug of host hpc gives at most 4 cpus: the task asks for 64 cpus, the job for no more than that',
      'partition debug of host hpc gives at most 8 GiB of memory: the task asks for 64 GiB of memory, the job for no more than that',
      'partition debug of host hpc gives at most a time limit of 1h: the task asks for a time limit of 2d, the job for no more than that',
    ]);
  });

  it('only the partitions that the job may go to count, and of several each', () => {
    const big = { cpus: 64 };
    expect(refusal(big, { partition: 'main', limits: [limits] })).toBe('taken');
    expect(refusal(big, { partition: 'main,debug', limits: [limits] })).toMatch(/^SLURM_LIMIT/);
    const slurm = { args: ['--partition=debug'] };
    expect(refusal({ ...big, slurm }, { partition: 'main', limits: [limits] })).toMatch(
      /^SLURM_LIMIT/,
    );
  });
});

describe('further words', () => {
  const rules = [
    { when: when('gpus > 0 and memory >= 64GiB'), args: ['--gres=gpu:a100:1'] },
    { when: when('gpus > 0'), args: ['--constraint=k80'] },
    { when: when('time > 12h'), args: ['--qos=long'] },
    { args: ['--nice=10'] },
  ];

  it('stand in order: the task as Towline has it, host, first true condition, task', () => {
    const spec = { cpus: 2, slurm: { args: ['--mail-type=END', '--exclusive'] } };
    const policy = { partition: 'main', args: ['--exclude=n7', '--reservation=r'], rules };
    expect(wordsOf(spec, policy)).toEqual([
      ...['--ntasks=1', '--cpus-per-task=2', '--partition=main'],
      ...['--exclude=n7', '--reservation=r', '--nice=10', '--mail-type=END', '--exclusive'],
    ]);
  });

  it.each<[Partial<TaskSpec>, string]>([
    [{ gpus: 1, memoryBytes: 64 * GIB, timeLimitMs: 24 * HOUR_MS }, '--gres=gpu:a100:1'],
    [{ gpus: 1, memoryBytes: 63 * GIB }, '--constraint=k80'],
    [{ gpus: 1 }, '--constraint=k80'],
    [{ timeLimitMs: 24 * HOUR_MS }, '--qos=long'],
    [{ memoryBytes: 64 * GIB }, '--nice=10'],
  ])('of the conditions the first true one counts: %j', (spec, word) => {
    expect(wordsOf(spec, { rules }).at(-1)).toBe(word);
  });

  it('what a later word says is left out before it, also where sbatch refuses both', () => {
    const spec = { cpus: 2, gpus: 1, memoryBytes: GIB, timeLimitMs: HOUR_MS };
    const policy = { args: ['--mem-per-cpu=2G', '--gres=gpu:a100:1', '--time=5'] };
    const slurm = { args: ['--time=7', '--ntasks=4'] };
    expect(wordsOf({ ...spec, slurm }, policy)).toEqual([
      ...['--cpus-per-task=2', '--mem-per-cpu=2G', '--gres=gpu:a100:1', '--time=7', '--ntasks=4'],
    ]);
    const gpus = (...args: string[]) => wordsOf({ cpus: 1, gpus: 1 }, { args }).slice(1);
    const ours = ['--cpus-per-task=1', '--gpus-per-task=1'];
    expect(gpus('--gres=shard:1')).toEqual([...ours, '--gres=shard:1']);
    expect(gpus('--gres=shard:1,gpu')).toEqual([ours[0], '--gres=shard:1,gpu']);
    expect(gpus('--gpus-per-node=2')).toEqual([ours[0], '--gpus-per-node=2']);
    expect(gpus('--tres-per-task=cpu=4,gres/gpu=1')).toEqual(['--tres-per-task=cpu=4,gres/gpu=1']);
    expect(gpus('--cpus-per-gpu=4')).toEqual([ours[1], '--cpus-per-gpu=4']);
  });

  it('a word that the launch needs is refused, whoever says it', () => {
    expect(refusal({ slurm: { args: ['--job-name=x'] } }, {})).toMatch(
      /^TASK_INVALID: slurm\.args: --job-name is not for you to set/,
    );
    expect(refusal({}, { args: ['--arr=1'] })).toMatch(
      /^CONFIG_VALUE_INVALID: host hpc: --arr, which may stand for --array, is not for you/,
    );
    expect(refusal({ gpus: 1 }, { rules: [{ args: ['-Jx'] }] })).toMatch(/^CONFIG_VALUE_INVALID/);
  });
});

it('tasks are alike exactly when their words are the same', () => {
  const one = request({ cpus: 1.5, name: 'a' }, { partition: 'main' });
  const twin = request({ cpus: 2, name: 'b', env: { A: 'b' } }, { partition: 'main' });
  expect(alikeKey(one)).toBe(alikeKey(twin));
  expect(alikeKey(one)).not.toBe(alikeKey(request({ cpus: 3 }, { partition: 'main' })));
});
