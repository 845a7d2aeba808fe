/** Goal: who configured a cluster wrongly reads what to mend. Method: a login node in good health, spoilt. */
import { describe, expect, it } from 'vitest';
import {
  judgeAccounting,
  judgePartitions,
  judgeSlurm,
  judgeTrialJob,
  slurmChecks,
} from '../../../../src/scheduler/slurm/checks.ts';
import type { SlurmFacts } from '../../../../src/scheduler/slurm/inspect.ts';
import { aPolicy } from './policy.ts';

const GOOD: SlurmFacts = {
  missing: [],
  version: 'slurm-wlm 26.05.5',
  partitions: [
    { name: 'main', isDefault: true, state: 'UP' },
    { name: 'debug', isDefault: false, state: 'UP', maxTimeMs: 1_800_000 },
    { name: 'old', isDefault: false, state: 'DOWN' },
  ],
  accounting: 'accounting_storage/slurmdbd',
  trial: { accepted: true, words: 'sbatch: Job 1 to start' },
};

const POLICY = aPolicy();

it('a reply without its first line says nothing', () => {
  expect(slurmChecks(POLICY).map(({ judge }) => judge('command not found'))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

it('good health is told as such', () => {
  expect(judgeSlurm(GOOD)).toEqual({ level: 'ok', detail: 'slurm-wlm 26.05.5' });
  expect(judgePartitions(GOOD, POLICY)).toEqual({
    level: 'ok',
    detail: 'main (default, no time limit), debug (at most 30m), old (no time limit)',
  });
  expect(judgeAccounting(GOOD)).toEqual({ level: 'ok', detail: 'accounting_storage/slurmdbd' });
  expect(judgeTrialJob(GOOD)).toEqual({ level: 'ok', detail: 'Job 1 to start' });
});

it('a login node without Slurm, or whose controller is away, has no partitions to judge', () => {
  const none: SlurmFacts = { missing: ['sbatch', 'squeue'] };
  expect(judgeSlurm(none)).toMatchObject({ level: 'failure', detail: 'missing: sbatch, squeue' });
  const away: SlurmFacts = { missing: [], words: 'Unable to contact' };
  expect(judgeSlurm(away)).toMatchObject({
    level: 'failure',
    detail: 'Slurm does not answer: Unable to contact',
  });
  for (const one of [none, away]) {
    expect(judgePartitions(one, POLICY)).toBeUndefined();
    expect(judgeAccounting(one)).toBeUndefined();
    expect(judgeTrialJob(one)).toBeUndefined();
  }
});

describe('partitions', () => {
  it('doctor names a partition that does not exist, the line that has it, and those there are', () => {
    const judgement = judgePartitions(GOOD, aPolicy({ partition: 'main', partitionGpu: 'gpu' }));
    expect(judgement).toMatchObject({ level: 'failure', code: 'SLURM_PARTITION_UNKNOWN' });
    expect(judgement?.detail).toContain('has no partition gpu (partition_gpu in [host.hpc])');
    expect(judgement?.detail).toContain('there are: main, debug, old');
  });

  it('one that is down is a warning, if it is used', () => {
    expect(judgePartitions(GOOD, aPolicy({ partitionShort: 'old' }))).toMatchObject({
      level: 'warning',
      detail: 'old is DOWN',
    });
  });

  it.each([
    [undefined, 'warning'],
    [3_600_000, 'warning'],
    [1_800_000, 'ok'],
  ])('max_time of %s beside MaxTime of 30 minutes: %s', (maxTimeMs, level) => {
    const limits = [{ partition: 'debug', maxTimeMs, over: 'deny' as const }];
    const judgement = judgePartitions(GOOD, aPolicy({ limits }));
    expect(judgement?.level).toBe(level);
    if (level === 'warning')
      expect(judgement?.remedy?.text).toBe('write in [partition.hpc.debug]: max_time = 30m');
  });
});

it('accounting that is off is no failure', () => {
  const { accounting: _, ...off } = GOOD;
  expect(judgeAccounting(off)).toMatchObject({
    level: 'ok',
    detail: expect.stringMatching(/^off: /),
  });
});

it('a job that would be refused is a failure in the words of sbatch; no answer is none', () => {
  const words = 'sbatch: error: Invalid account';
  expect(judgeTrialJob({ ...GOOD, trial: { accepted: false, words } })).toMatchObject({
    level: 'failure',
    detail: `sbatch would refuse a job: ${words}`,
  });
  expect(judgeTrialJob({ ...GOOD, trial: { accepted: false, words: '' } })?.level).toBe('skipped');
});
