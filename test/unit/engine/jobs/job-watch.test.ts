/**
 * Goal: the scheduler is asked often only while something changes that it alone can tell. Method: a queue that says what
 * it is told to; the pauses between questions are written down and end at once.
 */
import { expect, test } from 'vitest';
import type { SeatWithJobs } from '../../../../src/engine/jobs/host-jobs.ts';
import { createJobWatch } from '../../../../src/engine/jobs/job-watch.ts';
import { slurmJobs } from '../../../../src/host-settings.ts';
import type { JobRef, JobSight } from '../../../../src/scheduler/scheduler.ts';
import { LOG, seatsOf } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { until } from '../../../support/until.ts';
import { aPolicy } from '../../scheduler/slurm/policy.ts';

const PILOT: JobRef = { id: '12', name: 'towline-batch-1' };
const isEnded = ({ kind }: JobSight): boolean => kind === 'ended';

async function house() {
  const host = new FakeHost('hpc');
  let state = 'RUNNING|None|N/A';
  host.on(/^asking/, () => `@ job 12|${state}||${PILOT.name}\n@ squeue 0 `);
  const policy = aPolicy({ pollMinMs: 2_000, pollMaxMs: 30_000 });
  const seats = await seatsOf([[{ jobs: slurmJobs(policy) }, host]]);
  const pauses: number[] = [];
  /** While it is held a pause ends only by its signal. */
  let isHeld = false;
  const pause = (ms: number, signal?: AbortSignal): Promise<void> => {
    pauses.push(ms);
    return new Promise((resolve) => {
      signal?.addEventListener('abort', () => resolve(), { once: true });
      if (!isHeld) setImmediate(resolve);
    });
  };
  const jobWatch = createJobWatch({ log: LOG, pause });
  const leave = new AbortController();
  const watch = (more: { soon?: boolean; job?: JobRef } = {}): void => {
    const request = { job: PILOT, signal: leave.signal, ...more };
    jobWatch.watch(seats.get('hpc') as SeatWithJobs, request, isEnded).catch(() => {});
  };
  return {
    ...{ host, pauses, watch },
    quiet: () => until(() => pauses.at(-1) === 30_000),
    hold: () => (isHeld = true),
    release: () => (isHeld = false),
    turns: (to: string) => (state = to),
    leave: () => leave.abort(new Error('over')),
  };
}

test('whoever begins to watch a job that is known makes nothing more frequent: a pilot runs a hundred tasks', async () => {
  const on = await house();
  on.watch();
  await on.quiet();
  const from = on.pauses.length;
  for (let count = 0; count < 20; count += 1) on.watch();
  await until(() => on.pauses.length > from + 10);
  on.leave();
  expect(new Set(on.pauses.slice(from))).toEqual(new Set([30_000]));
});

test.each([
  ['a job that is new', { job: { id: '13', name: 'towline-batch-2' } }],
  ['one that is about to end', { soon: true }],
])('%s has the next question soon, and once', async (_, more) => {
  const on = await house();
  on.watch();
  await on.quiet();
  on.hold();
  await until(() => on.pauses.at(-1) === 30_000);
  const from = on.pauses.length;
  on.watch(more);
  on.watch(more);
  await until(() => on.pauses.length > from);
  on.leave();
  expect(on.pauses.slice(from)).toEqual([2_000]);
});

test('another estimate of its start is told, and is no reason to ask more often', async () => {
  const on = await house();
  let minute = 10;
  on.host.on(/^asking/, () => {
    const at = `2026-11-29T15:${(minute = (minute + 1) % 50) + 10}:00`;
    return `@ job 12|PENDING|Priority|${at}||${PILOT.name}\n@ squeue 0 `;
  });
  on.watch();
  await on.quiet();
  on.leave();
});

test('a change has the next question soon', async () => {
  const on = await house();
  on.watch();
  await on.quiet();
  const from = on.pauses.length;
  on.turns('PENDING|Resources|N/A');
  await until(() => on.pauses.slice(from).includes(2_000));
  on.leave();
});
