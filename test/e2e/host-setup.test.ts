/**
 * Goal: a host without a usable runtime gets one, with consent; without it the administrator is told exactly
 * what to run. Method: a machine of this test's own whose Apptainer is hidden. Fakes (no-runtime.ts): apt-get,
 * which puts it back, and sudo; the rest, a container in the end included, is real.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { aptCalls, giveSudo, hideApptainer } from '../support/faults/no-runtime.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';

let spare: SpareHost;
let daemon: TestDaemon;

beforeAll(async () => {
  spare = await startSpareHost();
  await hideApptainer(spare);
  daemon = makeDaemon({ hosts: { far: { on: spare.name, keys: spare.keys } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await spare?.[Symbol.asyncDispose]();
});

const INSTALL = 'env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends';

test('without a runtime: what an administrator should run, and nothing is changed', async () => {
  const ran = await daemon.cli('host', 'setup', 'far');
  expect(ran.code).toBe(3);
  expect(ran.stdout).toContain(
    'an administrator of far should run:\n  # as root:\n  apt-get update\n',
  );
  expect(ran.stdout).toContain(`  ${INSTALL} apptainer\n`);
  expect(ran.stderr).toContain('RUNTIME_NOT_FOUND');
  const json = await daemon.cli('host', 'setup', 'far', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ host: 'far' });
  expect(await aptCalls(spare)).toEqual([]);
});

test('HOST_SETUP_FAILED: no root and no sudo, and the reason names the commands', async () => {
  const ran = await daemon.cli('host', 'setup', 'far', '--install', '--yes');
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain('HOST_SETUP_FAILED: setup of host far: installing needs root');
  expect(ran.stderr).toContain(`should run: apt-get update; ${INSTALL} apptainer`);
  expect(await aptCalls(spare)).toEqual([]);
});

test('with consent it is installed as root, its directories are set, and a container runs', async () => {
  await giveSudo(spare);
  await spare.as('alice', 'echo "export MINE=1" >>.profile');
  const words = ['--install', '--yes', '--cache-dir', '/var/tmp/%u/cache'];
  const first = await daemon.cli('host', 'setup', 'far', ...words);
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr).toMatch(/^\+ apt-get update$/m);
  expect(first.stderr).toMatch(/^Setting up apptainer/m);
  expect(first.stderr).toMatch(/^ok +container +ran a tiny image made here$/m);
  expect(first.stdout).toMatch(/^runtime +apptainer version/m);
  expect(await aptCalls(spare)).toEqual([
    'root: update',
    'root: install -y --no-install-recommends apptainer',
  ]);
  expect((await spare.as('alice', 'echo $APPTAINER_CACHEDIR $MINE')).trim()).toBe(
    '/var/tmp/alice/cache 1',
  );
  const ran = await daemon.cli('run', '--host', 'far', spare.image, '--', 'echo', 'it runs');
  expect([ran.code, ran.stdout]).toEqual([0, 'it runs\n']);
});

test('again: nothing is installed twice, the directories are set once', async () => {
  const calls = (await aptCalls(spare)).length;
  const words = ['--install', '--yes', '--json', '--cache-dir', '/var/tmp/%u/other'];
  const again = await daemon.cli('host', 'setup', 'far', ...words);
  expect(again.code, again.stderr).toBe(0);
  expect((JSON.parse(again.stdout) as { said: string[] }).said.join('\n')).toContain(
    'set in /home/alice/.profile',
  );
  expect(await aptCalls(spare)).toHaveLength(calls);
  expect((await spare.as('alice', 'grep -c APPTAINER_CACHEDIR .profile')).trim()).toBe('1');
});

test('a runtime that is there but starts no container is told with its own words', async () => {
  await spare.sh('chmod 000 /usr/lib/x86_64-linux-gnu/apptainer/bin/starter');
  const ran = await daemon.cli('host', 'setup', 'far');
  expect(ran.code).toBe(3);
  expect(ran.stderr).toMatch(/HOST_SETUP_FAILED: setup of host far: no (image|container)/);
  expect(ran.stdout).toContain('an administrator of far should run:');
});
