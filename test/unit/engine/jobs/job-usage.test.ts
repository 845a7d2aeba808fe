/** Goal: jobs that end together cost one question, and none where accounting is off. Method: a host that says what it is told to. */
import { expect, test } from 'vitest';
import type { JobRecord } from '../../../../src/domain/state.ts';
import type { SeatWithJobs } from '../../../../src/engine/jobs/host-jobs.ts';
import { createAskUsage } from '../../../../src/engine/jobs/job-usage.ts';
import { slurmJobs } from '../../../../src/host-settings.ts';
import { LOG, seatsOf } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { aPolicy } from '../../scheduler/slurm/policy.ts';

const job = (id: string): JobRecord => ({
  ...{ id, name: `n${id}`, batch: 'b', index: 0, command: 'sbatch', submittedAt: 1 },
});

async function house(reply: string) {
  const host = new FakeHost('hpc');
  host.on(/^asking what/, () => reply);
  const seats = await seatsOf([[{ jobs: slurmJobs(aPolicy()) }, host]]);
  const ask = createAskUsage({ log: LOG, pause: async () => {} });
  return { host, of: (id: string) => ask(seats.get('hpc') as SeatWithJobs, job(id)) };
}

test('jobs that end together are asked for together; the largest step counts', async () => {
  const steps = ['12|', '12.batch|2048K', '12.0|1M', '13_4.batch|12288', '99.batch|5'];
  const { host, of } = await house(
    `${steps.map((line) => `@ used ${line}`).join('\n')}\n@ sacct 0`,
  );
  const used = await Promise.all(['12', '13_4', '14'].map(of));
  expect(used).toEqual([{ maxRssBytes: 2_097_152 }, { maxRssBytes: 12_288 }, undefined]);
  expect(host.count(/^asking what/)).toBe(1);
});

test('where accounting is off it is asked once', async () => {
  const { host, of } = await house('@ sacct off');
  expect([await of('12'), await of('13')]).toEqual([undefined, undefined]);
  expect(host.count(/^asking what/)).toBe(1);
});

test('a question that fails tells nothing, and the next is asked', async () => {
  const { host, of } = await house('@ sacct 124');
  expect([await of('12'), await of('13')]).toEqual([undefined, undefined]);
  expect(host.count(/^asking what/)).toBe(2);
});
