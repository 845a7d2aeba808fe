/**
 * Goal: attempts that arrive one after the other cost few requests, and a host is not given hundreds to publish at once.
 * Method: a host that takes every job; what was submitted is read from the texts it got.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AttemptToken } from '../../../../src/domain/task.ts';
import type { SeatWithJobs } from '../../../../src/engine/jobs/host-jobs.ts';
import { createSubmitter } from '../../../../src/engine/jobs/submitter.ts';
import { slurmJobs } from '../../../../src/host-settings.ts';
import { LOG, seatsOf } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { until } from '../../../support/until.ts';
import { aPolicy } from '../../scheduler/slurm/policy.ts';

async function house(pilotTasks: number) {
  const host = new FakeHost('hpc');
  let jobs = 10;
  host.on(/^submitting/, () => `@ submitted 0 ${(jobs += 1)}  / `);
  const slurm = aPolicy({ pilotTasks, pilotWalltimeMs: 0 });
  const seats = await seatsOf([[{ jobs: slurmJobs(slurm) }, host]]);
  const seat = seats.get('hpc') as SeatWithJobs;
  let nonces = 0;
  const nonce = (): string => `${(nonces += 1)}`.padStart(16, '0');
  const submitter = createSubmitter({ daemonId: 'd', nonce, now: () => 1, log: LOG });
  const submit = (index: number) =>
    submitter.submit(
      seat,
      {
        root: '/home/alice/.towline',
        task: {
          token: `task${index}.1` as AttemptToken,
          ...{ outputLimitBytes: 0, timeLimitMs: 60_000, hasOutputs: false },
        },
        request: { args: ['--ntasks=1'], notes: [] },
      },
      new AbortController().signal,
    );
  return { host, seat, submitter, submit };
}

test('a pilot that is full waits for nobody; what is left waits for those that are on their way', async () => {
  const { host, seat, submitter, submit } = await house(4);
  const arrived = submitter.expect(seat);
  const jobs = Array.from({ length: 10 }, (_, index) => submit(index));
  await Promise.all(jobs.slice(0, 8));
  expect(host.calls).toEqual(Array(2).fill('submitting a job for 4 attempts'));
  arrived();
  const last = await Promise.all(jobs);
  expect(host.calls.slice(2)).toEqual(['submitting a job for 2 attempts']);
  expect(new Set(last.map(({ id }) => id)).size).toBe(3);
  expect(last.every(({ pilot }) => pilot === true)).toBe(true);
});

test('while others are on their way it is waited for them, longer and longer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { host, seat, submitter, submit } = await house(0);
  const arrived = submitter.expect(seat);
  let index = 0;
  const sizes: number[] = [];
  for (let second = 0; second < 60; second += 1) {
    submit((index += 1)).catch(() => {});
    await vi.advanceTimersByTimeAsync(1_000);
  }
  arrived();
  await vi.advanceTimersByTimeAsync(1_000);
  for (const call of host.calls) sizes.push(Number(/(\d+) attempts$/.exec(call)?.[1]));
  expect(sizes).toEqual([5, 10, 20, 25]);
});

test('of hundreds a few are published at a time', async () => {
  const { seat, submitter } = await house(0);
  let now = 0;
  let most = 0;
  const acts = Array.from({ length: 300 }, () =>
    submitter.publish(seat, async () => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    }),
  );
  await Promise.all(acts);
  await until(() => now === 0);
  expect(most).toBe(2);
});
