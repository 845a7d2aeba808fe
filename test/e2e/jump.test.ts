/** A host that is reached through another one: tasks, files, and the loss of what is in between. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bedLog, hostSection, MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { metrics } from '../support/metrics.ts';
import { countLogins } from '../support/sshd.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;

const section = (name: string, values: Record<string, string>): string =>
  [`[host.${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`)].join(
    '\n',
  );

beforeAll(async () => {
  const bastion = { ...hostSection('bastion'), enabled: 'false' };
  daemon = makeDaemon({ hosts: { inner: { on: 'inner' } }, more: section('bastion', bastion) });
  await daemon.start();
});
afterAll(() => daemon?.[Symbol.asyncDispose]());

/** Not connections: one of an earlier test, made while the port was shut, may arrive late. */
const logins = (): number => countLogins(bedLog('sshd-bastion')).accepted;

it('runs a task with input and output behind a jump host, over one login to it', async () => {
  const before = logins();
  const input = join(daemon.dir, 'in.txt');
  writeFileSync(input, 'through and back\n');
  const output = join(daemon.dir, 'out.txt');
  const files = ['--input', `${input}:in.txt`, '--output', `out.txt:${output}`];
  const copy = 'cat /mnt/task/inputs/in.txt | tee out.txt; hostname';
  const ran = await daemon.cli('run', '--host', 'inner', ...files, MINI, '--', 'sh', '-c', copy);
  expect([ran.code, ran.stdout]).toEqual([0, 'through and back\ninner\n']);
  expect(readFileSync(output, 'utf8')).toBe('through and back\n');
  expect(logins() - before).toBe(1);
  const page = (await daemon.cli('host', 'show', 'inner', '--no-probe')).stdout;
  expect(page).toMatch(
    /^jump host +bastion is ready; logins: [56] of 6 left, .* 1 in the last hour/m,
  );
  const numbers = await metrics(daemon);
  expect(numbers['towline_jump_ready{jump="bastion"}']).toBe(1);
  expect(numbers['towline_jump_logins_left{jump="bastion"}']).toBeGreaterThanOrEqual(5);
});

it('finds a task again when the jump host was lost under it', async () => {
  const command = 'echo begun; while [ ! -e stop ]; do sleep 0.1; done; echo ended';
  const id = await daemon.submit('--host', 'inner', MINI, '--', 'sh', '-c', command);
  await until(async () => (await daemon.cli('logs', id)).stdout === 'begun\n');
  await onHost('bastion', 'pkill', '-KILL', '-u', 'alice', 'sshd');
  const { remoteDir } = await daemon.show(id);
  await onHost('inner', 'touch', `${remoteDir}/work/stop`);
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect((await daemon.cli('logs', id)).stdout).toBe('begun\nended\n');
  expect((await daemon.show(id)).attempt).toBe(1);
});
