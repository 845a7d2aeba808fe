/**
 * Goal: a host with two login nodes loses one of them under its tasks, has it back, and has one with another key: what
 * runs is started once and is whole, and people are told. Method: two sshds in vm2 that share its files; each
 * shows itself as a machine of its own name, so that a task of one is none of the other's processes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HostView } from '../../src/protocol/views.ts';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type RegistryProxy, startRegistryProxy } from '../support/faults/registry-proxy.ts';
import { submitWhole } from '../support/faults/whole-task.ts';
import { knownHostsText, type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

let login1: Sshd;
let login2: Sshd;
let registry: RegistryProxy;
let daemon: TestDaemon;

const start = (hostname: string): Promise<Sshd> => startSshd({ hostname });

beforeAll(async () => {
  [login1, login2] = await Promise.all([start('login1'), start('login2')]);
  const hostname = [login1, login2].map(({ port }) => `127.0.0.1:${port}`).join(', ');
  registry = await startRegistryProxy();
  const keys = {
    ...{ hostname, port: '', login_burst: '100', login_interval: '10ms' },
    insecure_registries: `registry:5000, ${registry.name}`,
  };
  daemon = makeDaemon({ hosts: { hpc: { on: 'vm2', keys } } });
  pin(daemon, login1, login2);
  await daemon.start();
});

/** The configuration names a file with the keys of these, and no other. */
function pin({ dir, configFile }: TestDaemon, ...sshds: Sshd[]): void {
  const known = join(dir, 'known_hosts');
  writeFileSync(known, sshds.map(({ knownHosts }) => knownHosts).join(''));
  const ini = readFileSync(configFile, 'utf8');
  writeFileSync(configFile, ini.replace(/^known_hosts = .*$/m, `known_hosts = ${known}`));
}

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await Promise.all([login1?.stop(), login2?.stop(), registry?.[Symbol.asyncDispose]()]);
});

async function host(): Promise<HostView> {
  const shown = await daemon.cli('host', 'show', 'hpc', '--no-probe', '--json');
  return JSON.parse(shown.stdout) as HostView;
}
const inUse = async (): Promise<string | undefined> =>
  (await host()).budget?.nodes.find((node) => node.inUse)?.name;
const isAt = (sshd: Sshd) => async (): Promise<boolean> =>
  (await inUse()) === `127.0.0.1:${sshd.port}`;

it('a task and a pull go on when their login node dies under them: one start, one pull, every byte', async () => {
  registry.spoil('/blobs/', 99, { kind: 'slow', pieceBytes: 512 * 1024, pauseMs: 60 });
  const pulling = await daemon.submit(`docker://${registry.name}/mini:1`, '--', 'hostname');
  await until(async () => (await pullOwners()).includes('login1'));
  const owners = await pullOwners();
  const task = await submitWhole(daemon, {
    host: 'hpc',
    lines: 60,
    pause: 0.05,
    outputBytes: 50_000,
  });
  await until(async () => (await daemon.cli('logs', task.id)).stdout.includes('line 5'));
  expect(await isAt(login1)()).toBe(true);
  await login1.down();
  await until(isAt(login2));
  // Asked from there the pull's process cannot be seen; nothing is taken over, if it is not over yet.
  expect([owners, '']).toContain(await pullOwners());
  // Nor can the task's, which proves nothing. Its output comes all the same.
  await until(async () => (await daemon.cli('logs', task.id)).stdout.includes('line 40'));
  await task.expectWhole();
  expect((await daemon.cli('wait', pulling)).code).toBe(0);
  expect((await daemon.cli('logs', pulling)).stdout).toBe('login2\n');
  // The image's configuration and its one layer, each fetched once.
  expect(registry.spoilt()).toBe(2);
  const page = (await daemon.cli('host', 'show', 'hpc')).stdout;
  expect(page).toMatch(
    new RegExp(`^login node +127.0.0.1:${login1.port} WARNING: .* SSH_CONNECTION_`, 'm'),
  );
  expect(page).toMatch(new RegExp(`^login node +127.0.0.1:${login2.port} is in use`, 'm'));
});

it('a daemon that starts while the first node is down works by way of the second', async () => {
  await daemon.kill('SIGTERM');
  await daemon.start();
  const ran = await daemon.run('hostname');
  expect([ran.code, ran.stdout]).toEqual([0, 'login2\n']);
});

it('what runs on a node that is away is neither ended nor started again, and is cancelled when it is back', async () => {
  const command = ['sh', '-c', 'echo begun; while [ ! -e stop ]; do sleep 0.1; done'];
  const id = await daemon.submit(MINI, '--', ...command);
  await until(async () => (await daemon.cli('logs', id)).stdout === 'begun\n');
  await login1.up();
  await login2.down();
  await until(isAt(login1));
  await until(async () => /runs on login2, this is login1/.test(await blocked(id)));
  await daemon.cli('cancel', id);
  await until(async () => /runs on login2, which hpc is not/.test(await blocked(id)));
  expect((await daemon.show(id)).state).toBe('cancelling');
  await login2.up();
  await login1.down();
  await until(isAt(login2));
  expect((await daemon.cli('wait', id)).stdout).toContain('cancelled');
  expect((await daemon.show(id)).attempt).toBe(1);
});

async function blocked(id: string): Promise<string> {
  return (await daemon.show(id)).blocked?.message ?? '';
}

/** Who pulls just now, as the records on the host say. */
function pullOwners(): Promise<string> {
  const show = 'cat /home/alice/*/.pull-*/owner 2>/dev/null; true';
  return onHost('vm2', 'sh', '-c', show);
}

it('a node with another key is refused for itself, and told by list, show, doctor and log', async () => {
  await login1.up({ hostKeys: ['changed'] });
  await daemon.cli('host', 'pause', 'hpc');
  await daemon.cli('host', 'resume', 'hpc');
  const ran = await daemon.run('hostname');
  expect([ran.code, ran.stdout]).toEqual([0, 'login2\n']);
  const node = `127.0.0.1:${login1.port}`;
  expect((await daemon.cli('host', 'list')).stdout).toContain(`${node}: SSH_HOST_KEY_CHANGED`);
  expect((await daemon.cli('host', 'show', 'hpc')).stdout).toMatch(
    new RegExp(`${node} WARNING: .*SSH_HOST_KEY_CHANGED: .*host trust hpc --replace`),
  );
  const doctor = (await daemon.cli('host', 'doctor', 'hpc')).stdout;
  expect(doctor).toMatch(/login nodes/);
  expect(doctor).toContain(`127.0.0.1:${login2.port} serves and is examined here; ${node} cannot`);
  expect(daemon.log()).toMatch(/a login node cannot be used/);
  expect(login1.logins()).toMatchObject({ accepted: 0, failed: 0 });
});

it('trust shows the keys of both nodes, and pins each where it belongs', async () => {
  await login1.down();
  await login1.up({ hostKeys: ['ed25519'] });
  const known = join(daemon.dir, 'known_hosts');
  writeFileSync(known, '');
  const shown = JSON.parse((await daemon.cli('host', 'trust', 'hpc', '--json')).stdout) as {
    keys: { fingerprint: string; verdict: string; nodes: string[] }[];
  };
  const nodes = [login1, login2].map(({ port }) => `127.0.0.1:${port}`);
  expect(shown.keys.map(({ verdict, nodes: of }) => [verdict, of])).toEqual(
    nodes.map((node) => ['unknown', [node]]),
  );
  const [{ fingerprint } = { fingerprint: '' }] = shown.keys;
  const trusted = await daemon.cli('host', 'trust', 'hpc', '--fingerprint', fingerprint);
  expect(trusted.code).toBe(0);
  for (const node of nodes) expect(trusted.stdout).toContain(node);
  const file = readFileSync(join(daemon.stateDir, 'known_hosts'), 'utf8');
  const lines = knownHostsText(login1.port, ['ed25519']) + knownHostsText(login2.port, ['ed25519']);
  for (const line of lines.trim().split('\n')) expect(file).toContain(line);
  expect((await daemon.run('true')).code).toBe(0);
});

it('a node whose root is none of the others is not used while tasks are in theirs', async () => {
  const directory = '/home/alice/own-disk';
  await onHost('vm2', 'install', '-d', '-o', 'alice', directory);
  const right = await start('login1');
  const wrong = await startSshd({ hostname: 'login9', ownDirectory: directory });
  const nodes = [right, wrong].map(({ port }) => `127.0.0.1:${port}`).join(', ');
  const keys = { hostname: nodes, port: '', root: `${directory}/root` };
  await using split = makeDaemon({ hosts: { split: { on: 'vm2', keys } } });
  pin(split, right, wrong);
  await right.down();
  await split.start();
  // Both have a root of this name, from times when the other was away.
  expect((await split.run('hostname')).stdout).toBe('login9\n');
  await right.up();
  await split.cli('host', 'pause', 'split');
  await split.cli('host', 'resume', 'split');
  const command = ['sh', '-c', 'echo begun; while [ ! -e stop ]; do sleep 0.1; done; hostname'];
  const id = await split.submit(MINI, '--', ...command);
  await until(async () => (await split.cli('logs', id)).stdout === 'begun\n');
  const { remoteDir } = await split.show(id);
  await right.down();
  const second = await split.submit(MINI, '--', 'hostname');
  await until(async () => {
    const { blocked } = await split.show(second);
    return /is login9 now, and .* is not the one/.test(blocked?.message ?? '');
  });
  expect(await split.show(id)).toMatchObject({ state: 'running', attempt: 1 });
  await right.up();
  await wrong.stop();
  await onHost('vm2', 'touch', `${remoteDir}/work/stop`);
  expect((await split.cli('wait', id, second)).code).toBe(0);
  expect((await split.cli('logs', id)).stdout).toBe('begun\nlogin1\n');
  await split[Symbol.asyncDispose]();
  await right.stop();
  await onHost('vm2', 'rm', '-r', directory);
});
