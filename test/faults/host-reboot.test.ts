/**
 * Goal: a host that loses its power costs at most the attempt that ran, and starts nothing twice: what had
 * not started goes on, what had ended is told, what ran is interrupted, and a new attempt is policy.
 * Method: a spare host is killed with all its processes at each step of an attempt and comes back on the
 * same disk with another boot id.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLedger } from '../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import {
  type HostPoint,
  type HostPoints,
  installHostPoints,
} from '../support/faults/host-points.ts';
import { submitPatient } from '../support/faults/patient-task.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { shareOf } from '../support/share.ts';
import { until } from '../support/until.ts';

let spare: SpareHost;
let points: HostPoints;
let daemon: TestDaemon;

beforeAll(async () => {
  spare = await startSpareHost();
  points = await installHostPoints(spare);
  daemon = makeDaemon({ hosts: { far: { on: spare.name, keys: spare.keys } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await spare[Symbol.asyncDispose]();
});

test('row 13: a task that runs is interrupted by a reboot, with what it printed, and is not run again', async () => {
  const task = await submitPatient(daemon, spare);
  await task.began();
  await spare.reboot();
  expect(await task.end()).toBe('interrupted');
  const { failure, attempt } = await daemon.show(task.id);
  expect(failure?.code).toBe('TASK_INTERRUPTED');
  expect(failure?.message).toContain('host far was rebooted');
  expect(attempt).toBe(1);
  expect((await daemon.cli('logs', task.id)).stdout).toBe('began\n');
  expect(task.ledger.starts()).toEqual([`${task.id}.1`]);
  task.ledger.remove();
});

test('row 13: a task with that policy is run again after a reboot, once', async () => {
  const task = await submitPatient(daemon, spare, '--retries', '1', '--retry-on', 'interrupted');
  await task.began();
  await spare.reboot();
  await until(
    () => task.ledger.starts().length === 2,
    () => daemon.log().slice(-2_000),
  );
  await until(async () => (await daemon.show(task.id)).state === 'running');
  await task.letEnd();
  expect(await task.end()).toBe('failed');
  expect(await daemon.show(task.id)).toMatchObject({ attempt: 2, exitCode: 4 });
  expect(task.ledger.starts()).toEqual([`${task.id}.1`, `${task.id}.2`]);
  task.ledger.remove();
});

describe('row 13: without power at a step', () => {
  const steps: [HostPoint, string, number][] = [
    ['publish.after', 'succeeded', 1],
    ['publish.before', 'succeeded', 1],
    ['ticket.before', 'succeeded', 1],
    // whether it had begun is not written anywhere by then
    ['ticket.after', 'interrupted', 0],
    ['exit.before', 'interrupted', 1],
    ['exit.after', 'succeeded', 1],
  ];
  test.each(shareOf(steps, 2))('%s: %s, started %i times', async (point, state, starts) => {
    const ledger = startLedger(daemon);
    const words = [spare.image, '--', 'sh', '-c', `${ledger.line}; echo done`];
    await points.hold(point);
    const id = await daemon.submit('--host', 'far', ...ledger.args, ...words);
    await points.held(point);
    await spare.reboot();
    await daemon.cli('wait', id);
    expect(await daemon.show(id)).toMatchObject({ state, attempt: 1 });
    expect(ledger.starts()).toEqual(starts === 0 ? [] : [`${id}.1`]);
    if (state === 'succeeded') expect((await daemon.cli('logs', id)).stdout).toBe('done\n');
    ledger.remove();
  });
});

describe('row 13: power lost after the exit record, before outputs are fetched', () => {
  /** A task with an output ends while no daemon looks; the host loses its power when `isTime`. */
  async function lose(name: string, isTime: (remoteDir: string) => Promise<unknown>) {
    const local = join(daemon.dir, name);
    const command = 'echo began; until [ -e go ]; do sleep 0.1; done; echo made >made';
    const words = ['--output', `made:${local}`, spare.image, '--', 'sh', '-c', command];
    const id = await daemon.submit('--host', 'far', ...words);
    await until(async () => (await daemon.show(id)).streams.stdout.bytes > 0);
    const { remoteDir = '' } = await daemon.show(id);
    await daemon.kill();
    await spare.as('alice', `touch '${remoteDir}/work/go'`);
    await isTime(remoteDir);
    await spare.reboot();
    await daemon.start();
    await daemon.cli('wait', id);
    return { local, task: await daemon.show(id) };
  }

  test('outputs that were not on disk yet are not passed off as the result', async () => {
    await points.hold('exit.after');
    const { local, task } = await lose('unsettled', () => points.held('exit.after'));
    expect(task).toMatchObject({ state: 'error', failure: { code: 'OUTPUT_NOT_DURABLE' } });
    expect(existsSync(local)).toBe(false);
  });

  test('outputs that were on disk are fetched', async () => {
    const { local, task } = await lose('settled', (dir) =>
      until(async () => (await spare.sh(`ls -A '${dir}'`)).includes('.settled.')),
    );
    expect(task.state).toBe('succeeded');
    expect(readFileSync(local, 'utf8')).toBe('made\n');
  });
});
