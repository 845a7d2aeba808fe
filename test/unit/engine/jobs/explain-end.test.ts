/** What the end of a job means for the attempt in it. */
import { expect, test } from 'vitest';
import type { ExitRecord, JobRecord } from '../../../../src/domain/state.ts';
import { endOf, explainEnd, wantsExplaining } from '../../../../src/engine/jobs/explain-end.ts';
import type { JobEnd } from '../../../../src/scheduler/scheduler.ts';
import { aTask } from '../../../contract/store-tasks.ts';

const EXIT: ExitRecord = { runtimeCode: 0, stdoutBytes: 0, stderrBytes: 0, finishedAt: 1 };
const JOB: JobRecord = {
  id: '12',
  name: 'n',
  batch: 'b',
  index: 0,
  command: 'sbatch',
  submittedAt: 1,
};
const WHERE = { task: aTask(), attempt: 1, host: 'hpc', job: JOB, title: 'Slurm' };

test.each([
  [{ ...EXIT, code: 0 }, false],
  [{ ...EXIT, code: 42 }, false],
  [{ ...EXIT, code: 128 }, false],
  [{ ...EXIT, code: 137 }, true],
  [{ ...EXIT, code: 0, limit: 'job' }, true],
  [{ ...EXIT, code: 143, limit: 'time' }, false],
  [{ ...EXIT, code: 137, limit: 'memory' }, false],
  [EXIT, true],
] as [ExitRecord, boolean][])('a record %j wants explaining: %s', (exit, is) => {
  expect(wantsExplaining(exit)).toBe(is);
});

const end = (why: JobEnd['why'], state: string): JobEnd => ({ why, state, exitCode: '0:0' });

test.each([
  ['node-failed', 'NODE_FAIL', 'SLURM_NODE_FAIL'],
  ['preempted', 'PREEMPTED', 'SLURM_PREEMPTED'],
  ['boot-failed', 'BOOT_FAIL', 'SLURM_BOOT_FAIL'],
  ['deadline', 'DEADLINE', 'SLURM_DEADLINE'],
  ['cancelled', 'CANCELLED', 'SLURM_CANCELLED'],
  ['requeued', 'PENDING', 'SLURM_REQUEUED'],
] as [JobEnd['why'], string, string][])(
  '%s (%s, though it says 0:0) is %s, with and without a record',
  (why, state, code) => {
    for (const exit of [undefined, { ...EXIT, code: 0, limit: 'job' as const }]) {
      const explained = explainEnd(WHERE, end(why, state), exit);
      expect(explained).toMatchObject({ kind: 'died', failure: { code } });
    }
  },
);

test.each([
  ['time-limit', 'TIMEOUT', 'time'],
  ['out-of-memory', 'OUT_OF_MEMORY', 'memory'],
] as [JobEnd['why'], string, string][])(
  '%s (%s) is its %s limit, though it says 0:0',
  (why, state, limit) => {
    expect(explainEnd(WHERE, end(why, state), undefined)).toEqual({ kind: 'limit', limit });
    const record = { ...EXIT, code: 137 };
    expect(explainEnd(WHERE, end(why, state), record)).toEqual({ kind: 'limit', limit });
  },
);

test.each([
  ['completed', 'COMPLETED'],
  ['failed', 'FAILED'],
  ['forgotten', 'UNKNOWN'],
] as [JobEnd['why'], string][])(
  '%s: the record says it all, and without one it is dead',
  (why, state) => {
    expect(explainEnd(WHERE, end(why, state), { ...EXIT, code: 137 })).toEqual({
      kind: 'as-recorded',
    });
    expect(explainEnd(WHERE, end(why, state), undefined)).toMatchObject({
      kind: 'died',
      failure: { code: 'TASK_INTERRUPTED' },
    });
  },
);

test('a pilot at its walltime interrupts what it runs: that is not the limit of the task', () => {
  const where = { ...WHERE, job: { ...JOB, pilot: true as const } };
  expect(explainEnd(where, end('time-limit', 'TIMEOUT'), undefined)).toMatchObject({
    kind: 'died',
    failure: { code: 'TASK_INTERRUPTED', message: expect.stringContaining('walltime') },
  });
});

test('a scheduler that says nothing leaves the record as it is, unless it was it that ended the command', () => {
  expect(explainEnd(WHERE, undefined, { ...EXIT, code: 137 })).toEqual({ kind: 'as-recorded' });
  expect(explainEnd(WHERE, undefined, { ...EXIT, code: 0, limit: 'job' })).toMatchObject({
    kind: 'died',
    failure: { code: 'TASK_INTERRUPTED' },
  });
});

test('a job that waits again after its start was requeued; one that runs has not ended', () => {
  expect(endOf({ kind: 'pending', reason: 'BeginTime' })).toMatchObject({ why: 'requeued' });
  expect(endOf({ kind: 'running' })).toBeUndefined();
  expect(endOf({ kind: 'unknown', why: '' })).toBeUndefined();
});
