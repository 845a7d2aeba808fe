/**
 * Several login nodes of one host: two real sshds on one machine, so that both see the same files, as the
 * login nodes of a cluster do. Which one serves, what follows it, and what is refused for one alone.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Host, LinkInspection } from '../../src/remote/host.ts';
import type { HostSettings } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { freePort, type SshServer, startSshServer } from '../support/ssh-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { failureOf, inPieces } from './host-bench.ts';

let first: SshServer;
let second: SshServer;
/** Outlives the servers. */
let files: string;
const leftovers: string[] = [];
const hosts: Host[] = [];

beforeEach(async () => {
  [first, second] = await Promise.all([startSshServer(), startSshServer()]);
  files = await mkdtemp(join(tmpdir(), 'towline-nodes-'));
  await pin([first, first], [second, second]);
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await Promise.all([first.stop(), second.stop()]);
  for (const path of [files, ...leftovers.splice(0)])
    await rm(path, { recursive: true, force: true });
});

/** What is pinned for the first server is the key of the second of a pair. */
async function pin(...pairs: [SshServer, SshServer][]): Promise<void> {
  const lines = pairs.map(
    ([{ port }, { hostKey }]) => `[127.0.0.1]:${port} ${hostKey.publicKey}\n`,
  );
  await writeFile(join(files, 'known_hosts'), lines.join(''));
}

function make(changes: Partial<HostSettings> = {}, ofSecond: Partial<HostSettings> = {}): Host {
  const common = { knownHostsFiles: [join(files, 'known_hosts')], ...changes };
  const furtherNodes = [second.settings({ ...common, ...ofSecond })];
  const host = createSshHost(first.settings({ ...common, furtherNodes }));
  hosts.push(host);
  return host;
}

/** The key of a server's user outlives the server. */
async function stopFirst(): Promise<void> {
  const { path } = first.userKey;
  const key = await readFile(path);
  await first.stop();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, key, { mode: 0o600 });
  leftovers.push(dirname(path));
}

const echo = async (host: Host): Promise<string> =>
  (await host.run('echo alive', { purpose: 'test' })).output;
const comesBack = (host: Host): Promise<void> =>
  until(async () => (await echo(host).catch(() => '')) === 'alive\n');
const accepted = (server: SshServer): number =>
  server.log().match(/Accepted publickey/g)?.length ?? 0;
const nodes = (host: Host) => host.budget()?.nodes ?? [];
const inUse = (host: Host): string | undefined => nodes(host).find((node) => node.inUse)?.name;
const troubles = (host: Host): (string | undefined)[] =>
  nodes(host).map(({ trouble }) => trouble?.code);
const nodeName = (server: SshServer): string => `127.0.0.1:${server.port}`;

it('the preferred node serves while it is there; nobody knocks at the other', async () => {
  const host = make();
  await Promise.all([echo(host), host.upload(inPieces(randomBytes(9)), join(files, 'x'))]);
  expect([accepted(first), accepted(second)]).toEqual([2, 0]);
  expect(inUse(host)).toBe(nodeName(first));
  expect(troubles(host)).toEqual([undefined, undefined]);
  expect(nodes(host).map(({ logins }) => logins.usedLastHour)).toEqual([2, 0]);
});

it('a node that is down is passed over within the first call, and transfers follow', async () => {
  await stopFirst();
  const { port } = first;
  const host = make();
  const data = randomBytes(100_000);
  const path = join(files, 'x');
  const kinds: string[] = [];
  host.onLinkState(({ kind }) => kinds.push(kind));
  await Promise.all([echo(host), host.upload(inPieces(data), path)]);
  expect((await readFile(path)).equals(data)).toBe(true);
  expect(kinds).toEqual(['connecting', 'ready']);
  expect(troubles(host)).toEqual(['SSH_CONNECTION_REFUSED', undefined]);
  expect(accepted(second)).toBe(2);
  // It stays there: the preferred node is gone back to with the next connection only.
  first = await startSshServer({ port });
  await echo(host);
  expect(accepted(first)).toBe(0);
});

it('a node that dies under a transfer: what runs fails, and all of it goes on by the other', async () => {
  const host = make();
  await echo(host);
  const data = randomBytes(8 << 20);
  const path = join(files, 'data');
  let acknowledged = 0;
  const gone = Promise.withResolvers<void>();
  async function* halfThenGone(): AsyncGenerator<Buffer> {
    yield* inPieces(data.subarray(0, data.length / 2));
    await gone.promise;
    yield* inPieces(data.subarray(data.length / 2));
  }
  const cut = host.upload(halfThenGone(), path, {
    onProgress: (done) => {
      if (acknowledged === 0) gone.resolve(stopFirst());
      acknowledged = done;
    },
  });
  expect((await failureOf(cut)).code).toBe('SSH_CONNECTION_LOST');
  await comesBack(host);
  await host.upload(inPieces(data.subarray(acknowledged)), path, { offset: acknowledged });
  expect((await readFile(path)).equals(data)).toBe(true);
  expect(inUse(host)).toBe(nodeName(second));
  // Control link and transfers, and nothing is left at the first.
  expect(accepted(second)).toBe(2);
});

it('only the control link is lost: transfers leave the old node, too', async () => {
  const proxy = await startTcpProxy(first.port);
  await pin([{ ...first, port: proxy.port }, first], [second, second]);
  const host = make({ port: proxy.port }, { port: second.port });
  const path = join(files, 'data');
  await host.upload(inPieces(Buffer.from('one')), path);
  const state = { held: Promise.withResolvers<void>(), begun: Promise.withResolvers<void>() };
  async function* held(): AsyncGenerator<Buffer> {
    yield Buffer.from('two');
    state.begun.resolve();
    await state.held.promise;
    yield Buffer.from('three');
  }
  const under = failureOf(host.upload(held(), path));
  await state.begun.promise;
  // New connections are refused, those that are there live on; then the control link alone ends.
  proxy.retarget(await freePort());
  const [pid] = (await host.run('echo $PPID', { purpose: 'test' })).output.split('\n');
  process.kill(Number(pid), 'SIGKILL');
  await comesBack(host);
  expect(inUse(host)).toBe(nodeName(second));
  state.held.resolve();
  expect((await under).code).toBe('SSH_CONNECTION_LOST');
  await proxy.stop();
});

it('a node with another key is refused loudly, and the other serves', async () => {
  await pin([first, second], [second, second]);
  const host = make();
  await echo(host);
  expect(inUse(host)).toBe(nodeName(second));
  expect(nodes(host)[0]?.trouble).toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    hint: expect.stringContaining('host trust'),
    nextTryAt: expect.any(Number),
  });
  // It is not asked again with every new connection.
  const before = first.log().match(/Connection from/g)?.length;
  await second.killSessions();
  await comesBack(host);
  expect(first.log().match(/Connection from/g)?.length).toBe(before);
});

it('is refused as a whole when no node has the key it should have', async () => {
  await pin();
  const host = make();
  const failure = await failureOf(echo(host));
  expect(failure.code).toBe('SSH_HOST_KEY_UNKNOWN');
  expect(failure.message).toContain('none of the 2 login nodes of host box can be used');
  expect(failure.message).toContain(String(second.port));
  expect(host.linkState()).toMatchObject({ kind: 'refused', code: 'SSH_HOST_KEY_UNKNOWN' });
});

it('a login that is closed (nologin) on one node is passed over', async () => {
  await first.stop();
  first = await startSshServer({ extra: ['ForceCommand echo "closed for maintenance"; exit 254'] });
  await pin([first, first], [second, second]);
  const host = make();
  await echo(host);
  expect(inUse(host)).toBe(nodeName(second));
  expect(troubles(host)[0]).toBe('HOST_SHELL_UNUSABLE');
});

it('a key that one node does not take is offered to the other', async () => {
  const authorized = join(first.directory, 'authorized_keys');
  await writeFile(authorized, '');
  await chmod(authorized, 0o600);
  const host = make({}, { identityFiles: [second.userKey.path] });
  await echo(host);
  expect(troubles(host)).toEqual(['SSH_AUTH_FAILED', undefined]);
});

it('trust shows the keys of all nodes and pins each under the name of its own', async () => {
  const file = join(files, 'trusted');
  await pin();
  const host = make({ trustedKeysFile: file });
  const offered = await host.keys?.offered();
  expect(offered?.keys.map(({ verdict, nodes: of }) => [verdict, of])).toEqual([
    ['unknown', [nodeName(first)]],
    ['unknown', [nodeName(second)]],
  ]);
  const fingerprints = offered?.keys.map(({ fingerprint }) => fingerprint) ?? [];
  const pinned = await host.keys?.pin({ fingerprints, replace: false });
  expect(pinned?.keys.map(({ verdict }) => verdict)).toEqual(['trusted', 'trusted']);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    `[127.0.0.1]:${first.port}`,
    `[127.0.0.1]:${second.port}`,
  ]);
  await echo(host);
  expect(inUse(host)).toBe(nodeName(first));
});

it('trust of what answers goes on while a node is down', async () => {
  const file = join(files, 'trusted');
  await pin();
  await stopFirst();
  const host = make({ trustedKeysFile: file });
  const offered = await host.keys?.offered();
  expect(offered?.silent).toMatchObject([
    { node: nodeName(first), code: 'SSH_CONNECTION_REFUSED' },
  ]);
  await host.keys?.pin({
    fingerprints: offered?.keys.map(({ fingerprint }) => fingerprint) ?? [],
    replace: false,
  });
  await echo(host);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('an alias stands for all nodes', async () => {
  const known = join(files, 'alias');
  const keys = [first, second].map(({ hostKey }) => `cluster ${hostKey.publicKey}\n`);
  await writeFile(known, keys.join(''));
  const host = make({ knownHostsFiles: [known], hostKeyAlias: 'cluster' });
  await echo(host);
  await stopFirst();
  await comesBack(host);
  expect(inUse(host)).toBe(nodeName(second));
});

it('doctor looks at all nodes, closely at the first that lets us in', async () => {
  await stopFirst();
  const host = make();
  let link: LinkInspection = {};
  const inspection = await host.inspect((seen) => {
    link = seen;
  });
  expect(link.nodes?.found).toMatchObject([
    { name: nodeName(first), examined: false, failure: { code: 'SSH_CONNECTION_REFUSED' } },
    { name: nodeName(second), examined: true, failure: undefined },
  ]);
  expect(link.place?.port).toBe(second.port);
  expect((await inspection.run('echo here', { purpose: 'test' })).output).toBe('here\n');
  inspection.close();
});

it('a jump host with several login nodes is passed by way of the one that answers', async () => {
  const target = await startSshServer();
  await stopFirst();
  const common = { knownHostsFiles: [join(files, 'known_hosts')], name: 'gate' };
  await pin([first, first], [second, second], [target, target]);
  const gate = first.settings({ ...common, furtherNodes: [second.settings(common)] });
  const host = createSshHost(target.settings({ ...common, name: 'box', jumps: [gate] }));
  hosts.push(host);
  await echo(host);
  expect(host.budget()?.jumps).toMatchObject([{ name: 'gate', link: 'ready' }]);
  expect(accepted(second)).toBe(1);
  await target.stop();
});

it('all nodes behind one jump host are reached over one login to it', async () => {
  const gate = await startSshServer();
  await stopFirst();
  await pin([first, first], [second, second], [gate, gate]);
  const knownHostsFiles = [join(files, 'known_hosts')];
  const host = make({ jumps: [gate.settings({ name: 'gate', knownHostsFiles })] });
  await echo(host);
  expect([accepted(gate), accepted(second)]).toEqual([1, 1]);
  expect(troubles(host)).toEqual(['SSH_CONNECTION_REFUSED', undefined]);
  await gate.stop();
});
