/**
 * Goal: nobody else on either machine can read or change what Towline makes, however careless the umask.
 * Method: a daemon and shells on the host that begin with umask 0, a whole task with input and
 * output; then every file and directory of both sides is looked at.
 */
import { lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type HostileHost, startHostileHost } from '../support/faults/hostile-host.ts';
import { until } from '../support/until.ts';

const PINS = join(tmpdir(), `towline-modes-${process.pid}`);
let careless: HostileHost;
let daemon: TestDaemon;

beforeAll(async () => {
  careless = await startHostileHost({ umask: '000' });
  writeFileSync(PINS, careless.knownHosts);
  const keys = { port: String(careless.port), known_hosts: PINS };
  daemon = makeDaemon({ vm: keys });
  const before = process.umask(0);
  await daemon.start();
  process.umask(before);
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await careless[Symbol.asyncDispose]();
  rmSync(PINS);
});

/** Paths below a directory, itself included, by what others may do with them. */
function open(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return ['.', ...names]
    .map((name) => ({ name, mode: lstatSync(join(directory, name)).mode }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ name, mode }) => `${(mode & 0o7777).toString(8)} ${name}`);
}

it('is closed on both sides after a whole task', async () => {
  const input = join(daemon.dir, 'input');
  writeFileSync(input, 'secret input');
  const output = join(daemon.dir, 'made/deep/out');
  const args = ['--input', `${input}:in`, '--output', `out:${output}`, '--cleanup', 'never'];
  const command = `cp /mnt/task/inputs/in out; id >&2; sleep 1000`;
  const id = await daemon.submit(...args, MINI, '--', 'sh', '-c', command);
  await until(
    async () => (await daemon.show(id)).streams.stderr.bytes > 0,
    () => daemon.log(),
  );
  // While it runs: the database with its log, the spool, the socket; there, the attempt and its home.
  expect(open(daemon.stateDir)).toEqual([]);
  expect(open(join(daemon.dir, 'run'))).toEqual([]);
  const listed = await onHost(
    'vm',
    'find',
    daemon.root,
    '!',
    '-type',
    'l',
    '-printf',
    '%m %y %P\n',
  );
  const lines = listed.trim().split('\n');
  // The root is the gate: below it modes are as the account's umask there makes them.
  expect(lines).toContain('700 d ');
  expect(lines.length).toBeGreaterThan(15);
  await daemon.cli('cancel', id);
});
