/** Goal: a dry run tells all that would be done and why there, and does nothing. Method: fake hosts of which one is known. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { completePlan } from '../../../src/engine/complete-plan.ts';
import { createPlacer } from '../../../src/engine/placer.ts';
import { planView } from '../../../src/protocol/views.ts';
import { aSpec } from '../../support/builders.ts';
import { DAEMON, LOG, openBooks, seatsOf, temporaryDirectory } from '../../support/engine-parts.ts';
import { FakeHost, ROOT } from '../../support/fake-host.ts';

async function house() {
  const { ledger, store } = openBooks();
  const host = new FakeHost();
  const seats = await seatsOf([
    [{ gpus: 2 }, host],
    [{ enabled: false }, new FakeHost('other')],
  ]);
  await seats.get('vm').facts();
  const placer = createPlacer({ ledger, seats, log: LOG });
  const calls = host.calls.length;
  const plan = (more: Parameters<typeof aSpec>[0]) =>
    completePlan({ seats, store: { ...store, daemonId: DAEMON }, placer, ledger }, aSpec(more));
  return { plan, asked: () => host.calls.length - calls, ledger };
}

test('host, candidates, sizes, directories, cleaning and files are told; nothing is asked or taken in', async () => {
  const dir = await temporaryDirectory();
  mkdirSync(join(dir, 'tree/deep'), { recursive: true });
  for (const name of ['a', 'b', 'deep/c']) writeFileSync(join(dir, 'tree', name), 'four');
  const { plan, asked, ledger } = await house();
  const whole = await plan({
    host: undefined,
    images: ['docker://first:1', '/own.sif'],
    inputs: [
      { source: { kind: 'directory', path: join(dir, 'tree') }, target: 'tree' },
      { source: { kind: 'content', base64: 'YWJj' }, target: 'abc' },
      { source: { kind: 'remote', path: '/data/there' }, target: 'there' },
    ],
    binds: [{ source: '/data', target: '/data', readonly: true }],
    tmpDir: '/scratch',
    gpus: 1,
    cleanup: 'on-success',
  });
  expect(planView.parse(whole)).toEqual(whole);
  expect(whole).toMatchObject({
    host: 'vm',
    choice: { why: 'the task fills it least' },
    images: [
      { reference: 'docker://first:1', path: expect.stringContaining('/images/first_1-') },
      { reference: '/own.sif', path: '/own.sif' },
    ],
    inputs: [{ files: 3, bytes: 12 }, { files: 1, bytes: 3 }, { from: '/data/there' }],
    directories: [
      { path: `${ROOT}/tasks/${DAEMON}/task.1`, fate: expect.stringContaining('after a success') },
      { path: '/scratch/towline-task.1' },
      { path: '/data', fate: 'yours; never removed' },
    ],
    cleanup: 'on-success',
  });
  expect(whole.inputs[2]).not.toHaveProperty('bytes');
  expect(whole.choice).not.toHaveProperty('waits');
  expect(Object.keys(whole.files)).toEqual(['run.sh', 'sup.sh', 'command', 'spec.json']);
  expect(whole.files['run.sh']).toContain('--nv');
  expect(asked()).toBe(0);
  expect([...ledger.live()]).toEqual([]);
});

test('without a GPU asked for there is no --nv', async () => {
  const { plan } = await house();
  expect((await plan({})).files['run.sh']).not.toContain('--nv');
});

test('a host that would not take it now is planned for all the same, with what keeps the task waiting', async () => {
  const { plan } = await house();
  const named = await plan({ host: 'other' });
  expect(named.host).toBe('other');
  expect(named.choice).toMatchObject({
    why: 'it was asked for',
    waits: { reason: 'HOST_DISABLED', hint: expect.stringContaining('enabled = false') },
  });
});
