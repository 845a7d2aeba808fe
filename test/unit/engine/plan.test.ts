/** Goal: a plan shows what a launch would do, and does nothing. Method: fake hosts of which one is known. */

import { expect, test } from 'vitest';
import { createPlacer } from '../../../src/engine/placer.ts';
import { makePlan, sampleScript } from '../../../src/engine/plan.ts';
import { slurmJobs } from '../../../src/host-settings.ts';
import { aSpec } from '../../support/builders.ts';
import { DAEMON, LOG, openBooks, seatsOf } from '../../support/engine-parts.ts';
import { FakeHost, ROOT } from '../../support/fake-host.ts';
import { aPolicy as aSlurm } from '../scheduler/slurm/policy.ts';

async function house() {
  const { ledger, store } = openBooks();
  const host = new FakeHost();
  const seats = await seatsOf([
    [{}, host],
    [{ imageCacheDir: '/scratch' }, new FakeHost('other')],
  ]);
  const placer = createPlacer({ ledger, seats, log: LOG });
  return { host, seats, deps: { seats, store: { ...store, daemonId: DAEMON }, placer } };
}

test('script, places and image are told, and the host is asked nothing', async () => {
  const { deps, host, seats } = await house();
  await seats.get('vm').facts();
  const calls = host.calls.length;
  const plan = makePlan(
    deps,
    aSpec({
      host: 'vm',
      inputs: [
        { source: { kind: 'file', path: '/here/in.txt' }, target: 'in.txt' },
        { source: { kind: 'content', base64: '' }, target: '/etc/x' },
      ],
      outputs: [{ pattern: 'out/*', local: '/home/out', overwrite: false }],
    }),
  );
  expect(plan).toMatchObject({
    host: 'vm',
    attemptDir: `${ROOT}/tasks/${DAEMON}/task.1`,
    image: {
      reference: 'docker://mini:1',
      path: expect.stringMatching(/\/images\/mini_1-\w+\.sif$/),
    },
    inputs: [
      { from: '/here/in.txt', to: '/mnt/task/inputs/in.txt' },
      { from: 'inline content', to: '/etc/x' },
    ],
    outputs: [{ from: '/mnt/task/work/out/*', to: '/home/out' }],
  });
  expect(Object.keys(plan.files)).toEqual(['run.sh', 'sup.sh', 'command', 'spec.json']);
  expect(plan.files['run.sh']).toContain(plan.image.path);
  expect(host.calls.length).toBe(calls);
});

test('for a host with a scheduler the words of its job are told, and what was made smaller', async () => {
  const limits = [{ partition: 'short', maxCpus: 4, over: 'clamp' as const }];
  const slurm = aSlurm({ partition: 'short', limits });
  const seats = await seatsOf([[{ jobs: slurmJobs(slurm) }, new FakeHost()]]);
  const { deps } = await house();
  const plan = makePlan({ ...deps, seats }, aSpec({ cpus: 9 }));
  expect(plan.job).toEqual({
    args: ['--ntasks=1', '--cpus-per-task=4', '--partition=short'],
    notes: [expect.stringMatching(/^partition short of host hpc gives at most 4 cpus/)],
  });
  expect(makePlan(deps, aSpec({ host: 'vm' }))).not.toHaveProperty('job');
});

test('a host of which nothing is known yet is planned for as configured, with its own image cache', async () => {
  const { deps } = await house();
  const plan = makePlan(deps, aSpec({ host: 'other' }));
  expect(plan.attemptDir).toBe(`~/.towline/tasks/${DAEMON}/task.1`);
  expect(plan.files['run.sh']).toContain(`${plan.attemptDir}/work`);
  expect(plan.files['run.sh']).not.toContain('/~');
  expect(plan.image.path).toMatch(/^\/scratch\//);
  expect(makePlan(deps, aSpec({ images: ['/my/own.sif'] })).image.path).toBe('/my/own.sif');
});

test('what cannot be carried is said when the sample is made', () => {
  expect(() => sampleScript(aSpec({ env: { 'A B': 'x' } }))).toThrow(
    expect.objectContaining({ code: 'TASK_INVALID' }),
  );
  const twin = { source: { kind: 'content' as const, base64: '' }, target: 'same' };
  expect(() => sampleScript(aSpec({ inputs: [twin, twin] }))).toThrow(
    expect.objectContaining({ code: 'TASK_INVALID' }),
  );
  expect(() => sampleScript(aSpec())).not.toThrow();
});
