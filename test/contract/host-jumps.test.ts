/**
 * Hosts behind other hosts: every hop a connection of its own with its own checks, shared by all that
 * is behind it, and lost together with it. Against real sshds.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { fillDeps } from '../../src/remote/deps.ts';
import type { Host } from '../../src/remote/host.ts';
import type { HostSettings } from '../../src/remote/settings.ts';
import { Roads } from '../../src/remote/ssh/roads.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { freePort, type SshServer, startSshServer } from '../support/ssh-server.ts';
import { until } from '../support/until.ts';
import { failureOf, inPieces } from './host-bench.ts';

let bastion: SshServer;
let inner: SshServer;
const hosts: Host[] = [];

const hop = (changes: Partial<HostSettings> = {}): HostSettings =>
  bastion.settings({ name: 'bastion', idleCloseMs: 300, ...changes });
const make = (changes: Partial<HostSettings> = {}, roads?: Roads): Host => {
  const host = createSshHost(inner.settings({ name: 'inner', jumps: [hop()], ...changes }), {
    roads,
  });
  hosts.push(host);
  return host;
};
const says = async (host: Host): Promise<string> =>
  (await host.run('echo in', { purpose: 'test' })).output;
const logins = (server: SshServer, mark = 0): number =>
  [
    ...server
      .log()
      .slice(mark)
      .matchAll(/Accepted publickey/g),
  ].length;

beforeAll(async () => {
  [bastion, inner] = await Promise.all([startSshServer(), startSshServer()]);
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await until(async () => (await bastion.sessionPids()).length === 0);
});
afterAll(() => Promise.all([bastion.stop(), inner.stop()]));

it('carries commands and bulk data of several hosts over one login to the jump host', async () => {
  const roads = new Roads(fillDeps({}));
  const [one, two] = [make({}, roads), make({ name: 'other' }, roads)];
  expect(await Promise.all([says(one), says(two)])).toEqual(['in\n', 'in\n']);
  const bytes = Buffer.alloc(3 << 20, 'x');
  const target = join(inner.directory, 'uploaded');
  await one.upload(inPieces(bytes), target);
  const chunks: Buffer[] = [];
  await two.download({ path: target, size: bytes.length }, async (chunk) => {
    chunks.push(chunk);
  });
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  expect([logins(bastion), logins(inner)]).toEqual([1, 4]);
  // Each byte counts once, for the host it was for.
  expect(one.counters().bytesSent).toBeGreaterThan(bytes.length);
  expect(one.counters().bytesSent).toBeLessThan(bytes.length * 1.2);
});

it('leaves the jump host when nothing is behind it any more, and comes back when there is', async () => {
  const mark = bastion.log().length;
  const roads = new Roads(fillDeps({}));
  const [one, two] = [make({}, roads), make({ name: 'other' }, roads)];
  await says(one);
  await one.close();
  await until(async () => (await bastion.sessionPids()).length === 0);
  expect(await says(two)).toBe('in\n');
  expect(logins(bastion, mark)).toBe(2);
});

it('goes over several hops', async () => {
  const second = inner.settings({ name: 'second' });
  const host = make({ jumps: [hop(), second] });
  expect(await says(host)).toBe('in\n');
});

it('loses all links with the jump host, and finds them again', async () => {
  const host = make();
  await says(host);
  const kinds: string[] = [];
  host.onLinkState((state) => kinds.push(state.kind));
  const reading = failureOf(host.run('sleep 20', { purpose: 'test' }));
  await bastion.killSessions();
  expect((await reading).code).toBe('SSH_CONNECTION_LOST');
  await until(() => kinds.includes('ready'));
  expect(await says(host)).toBe('in\n');
});

it('checks the key of each hop, and names the hop that failed', async () => {
  const empty = join(bastion.directory, 'empty');
  await writeFile(empty, '');
  const host = make({ jumps: [hop({ knownHostsFiles: [empty] })] });
  const mark = inner.log().length;
  const error = await failureOf(host.run(':', { purpose: 'test' }));
  expect(error.code).toBe('SSH_HOST_KEY_UNKNOWN');
  expect(error.message).toMatch(/^jump host bastion of host inner: host bastion /);
  expect(error.hint).toContain('towline host trust bastion');
  expect(host.linkState()).toMatchObject({ kind: 'refused', code: 'SSH_HOST_KEY_UNKNOWN' });
  expect(inner.log().slice(mark)).toBe('');
});

it('checks the key of the host behind, as if it were reached straight', async () => {
  const host = make({ knownHostsFiles: [join(bastion.directory, 'known_hosts')] });
  const error = await failureOf(host.run(':', { purpose: 'test' }));
  expect(error.code).toBe('SSH_HOST_KEY_UNKNOWN');
  expect(error.message).toMatch(/^host inner /);
});

it('tells a host behind that does not answer from a jump host that does not forward', async () => {
  const closed = await failureOf(make({ port: await freePort() }).run(':', { purpose: 'test' }));
  expect(closed.code).toBe('SSH_CONNECTION_REFUSED');
  expect(closed.message).toMatch(/^jump host bastion of host inner: connect to 127.0.0.1:/);
  const strict = await startSshServer({ extra: ['AllowTcpForwarding no'] });
  try {
    const host = make({ jumps: [strict.settings({ name: 'strict' })] });
    const error = await failureOf(host.run(':', { purpose: 'test' }));
    expect(error.code).toBe('SSH_JUMP_REFUSED');
    expect(error.hint).toContain('AllowTcpForwarding');
    await host.close();
  } finally {
    await strict.stop();
  }
});
