/**
 * Goal: a cluster is one host whatever login node leads to it: a job whose login node is lost is followed, ended and
 * cancelled from the other, with no alarm and no second start. Method: the bed's cluster with real Slurm; the way
 * to its first login node goes through a proxy that cuts and refuses.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BED, PORTS } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type Cluster, hpc } from '../support/slurm/cluster.ts';
import { freePort } from '../support/ssh-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let cluster: Cluster;
let first: TcpProxy;
let daemon: TestDaemon;

beforeAll(async () => {
  cluster = await hpc();
  first = await startTcpProxy(PORTS.hpc);
  const hostname = `127.0.0.1:${first.port}, 127.0.0.1:${PORTS.hpc2}`;
  const keys = { hostname, port: '', scheduler: 'slurm', partition: 'short' };
  daemon = makeDaemon({ hosts: { hpc: { on: 'hpc', keys } } });
  const pins = readFileSync(join(BED, 'known_hosts'), 'utf8');
  const known = join(daemon.dir, 'known_hosts');
  writeFileSync(known, pins + pins.replaceAll(`]:${PORTS.hpc} `, `]:${first.port} `));
  const ini = readFileSync(daemon.configFile, 'utf8');
  writeFileSync(daemon.configFile, ini.replace(/^known_hosts = .*$/m, `known_hosts = ${known}`));
  await daemon.start();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await first?.stop();
});

async function inUse(): Promise<string | undefined> {
  const { budget } = await daemon.showHost('hpc');
  return budget.nodes.find((node) => node.inUse)?.name;
}

const command = (end: string): string[] => [
  cluster.image,
  '--',
  'sh',
  '-c',
  `echo begun; while [ ! -e stop ]; do echo line; sleep 0.2; done; ${end}`,
];

it('a job goes on when the login node it was submitted from is lost: followed, ended once, cancelled', async () => {
  const ending = await daemon.submit(...command('echo ended'));
  const cancelled = await daemon.submit(...command('echo never'));
  const said = async (id: string): Promise<string> => (await daemon.cli('logs', id)).stdout;
  for (const id of [ending, cancelled])
    await until(async () => (await said(id)).startsWith('begun'), undefined, 60_000);
  expect(await inUse()).toBe(`127.0.0.1:${first.port}`);
  first.retarget(await freePort());
  first.cut();
  await until(async () => (await inUse()) === `127.0.0.1:${PORTS.hpc2}`);
  // It is looked at through Slurm and the shared files: nothing is said to be unknown, output comes on.
  const lines = (await said(ending)).length;
  await until(async () => (await said(ending)).length > lines + 20);
  for (const id of [ending, cancelled]) {
    const shown = await daemon.show(id);
    expect(shown).toMatchObject({ state: 'running', attempt: 1 });
    expect(shown.blocked).toBeUndefined();
  }
  const { remoteDir } = await daemon.show(ending);
  await cluster.sh(`touch '${remoteDir}/work/stop'`, 'hpc2');
  expect((await daemon.cli('wait', ending)).code).toBe(0);
  expect(await said(ending)).toMatch(/^begun\n(line\n)+ended\n$/);
  await daemon.cli('cancel', cancelled);
  expect((await daemon.cli('wait', cancelled)).stdout).toContain('cancelled');
  expect((await daemon.show(ending)).attempt).toBe(1);
  // Work that comes later is submitted from there.
  const ran = await daemon.cli('run', cluster.image, '--', 'echo', 'later');
  expect([ran.code, ran.stdout]).toEqual([0, 'later\n']);
});
