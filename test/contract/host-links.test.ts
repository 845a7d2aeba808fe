/**
 * Links that break: killed sessions, reset connections, black holes, refused channels. Every call
 * settles with a named failure, and the host works again by itself. Against a real sshd.
 */
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Host, HostLinkState } from '../../src/remote/host.ts';
import type { HostSettings } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { type SshServer, startSshServer } from '../support/ssh-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { failureOf, inPieces } from './host-bench.ts';

let server: SshServer;
let proxy: TcpProxy;
const hosts: Host[] = [];

const make = (changes: Partial<HostSettings> = {}): Host => {
  const host = createSshHost(server.settings(changes));
  hosts.push(host);
  return host;
};
/** A host behind the proxy; its key is pinned under the proxy's port by a wildcard. */
const makeBehindProxy = (changes: Partial<HostSettings> = {}): Host =>
  make({ port: proxy.port, knownHostsFiles: [join(server.directory, 'any_port')], ...changes });
const echo = async (host: Host): Promise<string> =>
  (await host.run('echo alive', { purpose: 'test' })).output;
/** Asks until the host answers again, as the engine does. */
const comesBack = (host: Host): Promise<void> =>
  until(async () => (await echo(host).catch(() => '')) === 'alive\n');

beforeEach(async () => {
  server = await startSshServer();
  proxy = await startTcpProxy(server.port);
  await writeFile(
    join(server.directory, 'any_port'),
    `[127.0.0.1]:* ${server.hostKey.publicKey}\n`,
  );
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await proxy.stop();
  await server.stop();
});

it('connects on the first call and tells each state once', async () => {
  const host = make();
  const kinds: string[] = [];
  const stop = host.onLinkState((state) => kinds.push(state.kind));
  expect(host.linkState().kind).toBe('idle');
  await Promise.all([echo(host), echo(host), host.list('/')]);
  expect(kinds).toEqual(['connecting', 'ready']);
  expect(host.counters()).toMatchObject({ logins: 1, channels: 2 });
  stop();
  await host.close();
  expect(kinds).toEqual(['connecting', 'ready']);
  expect(host.linkState().kind).toBe('closed');
  expect((await failureOf(echo(host))).code).toBe('HOST_CALL_ABORTED');
});

it('rejects what runs when the session is killed, and works again', async () => {
  const host = make();
  await echo(host);
  const flag = join(server.directory, 'started');
  const running = failureOf(host.run(`: > '${flag}'; sleep 30`, { purpose: 'test' }));
  await until(() =>
    stat(flag).then(
      () => true,
      () => false,
    ),
  );
  await server.killSessions();
  expect((await running).code).toBe('SSH_CONNECTION_LOST');
  await comesBack(host);
  expect(host.linkState().kind).toBe('ready');
});

it('rejects an upload and a download that are cut, and both can be resumed', async () => {
  const host = make();
  const data = randomBytes(24 << 20);
  const path = join(server.directory, 'data');
  let acknowledged = 0;
  const killed = Promise.withResolvers<void>();
  async function* halfThenKilled(): AsyncGenerator<Buffer> {
    yield* inPieces(data.subarray(0, data.length / 2));
    await killed.promise;
    yield* inPieces(data.subarray(data.length / 2));
  }
  const cutUpload = host.upload(halfThenKilled(), path, {
    onProgress: (done) => {
      if (acknowledged === 0) killed.resolve(server.killSessions());
      acknowledged = done;
    },
  });
  expect((await failureOf(cutUpload)).code).toBe('SSH_CONNECTION_LOST');
  await comesBack(host);
  expect(acknowledged).toBeLessThan(data.length);
  await host.upload(inPieces(data.subarray(acknowledged)), path, { offset: acknowledged });
  expect((await readFile(path)).equals(data)).toBe(true);

  const got: Buffer[] = [];
  let received = 0;
  const write = async (chunk: Buffer): Promise<void> => {
    if (received === 0) await server.killSessions();
    got.push(chunk);
    received += chunk.length;
  };
  const source = { path, size: data.length };
  expect((await failureOf(host.download(source, write))).code).toBe('SSH_CONNECTION_LOST');
  await comesBack(host);
  await host.download(source, async (chunk) => void got.push(chunk), { offset: received });
  expect(Buffer.concat(got).equals(data)).toBe(true);
});

it('rejects at once when the connection is reset', async () => {
  const host = makeBehindProxy();
  await echo(host);
  const running = failureOf(host.run('sleep 30', { purpose: 'test' }));
  const reading = failureOf(host.run('sleep 30', { purpose: 'test', lane: 'slow' }));
  proxy.cut();
  expect((await running).code).toBe('SSH_CONNECTION_LOST');
  expect((await reading).code).toBe('SSH_CONNECTION_LOST');
  await comesBack(host);
});

it('notices a black hole within 30 s though nobody asks, and heals within 30 s', async () => {
  const host = makeBehindProxy();
  await echo(host);
  const states: Array<[HostLinkState['kind'], number]> = [];
  const startedAt = performance.now();
  host.onLinkState((state) => states.push([state.kind, performance.now() - startedAt]));
  const pending = failureOf(host.run('sleep 60', { purpose: 'test', deadlineMs: 60_000 }));
  proxy.blackHole();
  expect((await pending).code).toBe('SSH_CONNECTION_LOST');
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  await until(() => host.linkState().kind === 'unreachable', undefined, 30_000);
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  expect(host.linkState()).toMatchObject({ code: 'SSH_HOST_UNREACHABLE' });
  proxy.heal();
  const healedAt = performance.now();
  await until(
    () => host.linkState().kind === 'ready',
    () => JSON.stringify(states),
    30_000,
  );
  expect(performance.now() - healedAt).toBeLessThan(30_000);
  expect(await echo(host)).toBe('alive\n');
});

it('gives up an upload into a black hole', async () => {
  const host = makeBehindProxy({ progressTimeoutMs: 2_000 });
  async function* holed(): AsyncGenerator<Buffer> {
    for (let n = 0; n < 200; n += 1) {
      if (n === 20) proxy.blackHole();
      yield Buffer.alloc(65_536);
    }
  }
  const error = await failureOf(host.upload(holed(), join(server.directory, 'holed')));
  expect(error.code).toBe('SSH_CONNECTION_LOST');
});

it('does not take a slow source for a dead link', async () => {
  const host = make({ progressTimeoutMs: 300 });
  async function* slow(): AsyncGenerator<Buffer> {
    for (let n = 0; n < 3; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      yield Buffer.from('slow');
    }
  }
  const path = join(server.directory, 'slow');
  await host.upload(slow(), path);
  expect(await readFile(path, 'utf8')).toBe('slowslowslow');
});

it('logs in three times for 40 commands and 20 transfers at once, and closes idle links', async () => {
  const host = make({ idleCloseMs: 200 });
  const data = randomBytes(10_000);
  await Promise.all([
    ...Array.from({ length: 40 }, () => echo(host)),
    ...Array.from({ length: 20 }, (_, n) =>
      host.upload(inPieces(data), join(server.directory, `f${n}`)),
    ),
  ]);
  expect(host.counters().logins).toBe(3);
  expect(server.log().match(/Accepted publickey/g)).toHaveLength(3);
  await until(
    () => (server.log().match(/Received disconnect|Connection closed by/g) ?? []).length >= 2,
  );
  expect(host.linkState().kind).toBe('ready');
  expect(await echo(host)).toBe('alive\n');
  expect(host.counters().logins).toBe(3);
});

it('never connects more often than the budget allows', async () => {
  const host = make({
    loginBurst: 2,
    loginRefillMs: 60_000,
    reconnectMinMs: 10,
    reconnectMaxMs: 10,
  });
  await echo(host);
  for (let n = 0; n < 3; n += 1) {
    await server.killSessions();
    await until(() => host.linkState().kind !== 'ready' || host.counters().logins === 2);
  }
  await until(() => host.linkState().kind !== 'ready');
  expect(host.counters().logins).toBeLessThanOrEqual(2);
});

it('counts what it does', async () => {
  const host = make();
  await echo(host);
  const before = host.counters();
  await echo(host);
  await host.readRange(join(server.directory, 'known_hosts'), 0, 10);
  const after = host.counters();
  expect(after.shellBatches - before.shellBatches).toBe(1);
  expect(after.shellCommands - before.shellCommands).toBe(1);
  expect(after.sftpRequests - before.sftpRequests).toBe(3);
  expect(after.bytesSent).toBeGreaterThan(before.bytesSent);
  expect(after.bytesReceived).toBeGreaterThan(before.bytesReceived);
  expect({ ...after, bytesSent: 0, bytesReceived: 0 }).toMatchObject({ logins: 1, channels: 2 });
});
