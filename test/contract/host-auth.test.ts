/**
 * How a host gets to know who we are: agents, several keys, keys with a passphrase, and how little of
 * it sshd has to refuse. Against a real sshd and real agents.
 */
import { appendFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Host } from '../../src/remote/host.ts';
import type { HostSettings } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { startAgent } from '../support/agent.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-keys.ts';
import { type SshServer, startSshServer } from '../support/ssh-server.ts';
import { until } from '../support/until.ts';
import { failureOf } from './host-bench.ts';

const KEYS = 7;
/** The one of them that the server accepts. */
const RIGHT = 3;

let server: SshServer;
let pairs: KeyPair[];
const hosts: Host[] = [];
const agents: { stop(): Promise<void> }[] = [];

const path = (name: string): string => join(server.directory, name);
const make = (changes: Partial<HostSettings>): Host => {
  const host = createSshHost(server.settings({ identityFiles: [], ...changes }));
  hosts.push(host);
  return host;
};
const agentWith = async (...files: string[]): Promise<string> => {
  const agent = await startAgent(files);
  agents.push(agent);
  return agent.socket;
};
const says = async (host: Host): Promise<string> =>
  (await host.run('echo in', { purpose: 'test' })).output;
/** What sshd wrote since the mark. */
const since = (mark: number): string => server.log().slice(mark);
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

beforeAll(async () => {
  server = await startSshServer();
  pairs = [];
  for (let n = 0; n < KEYS; n += 1) pairs.push(await makeKeyPair(path(`pair${n}`)));
  await appendFile(path('authorized_keys'), `${pairs[RIGHT]?.publicKey}\n`);
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  for (const agent of agents.splice(0)) await agent.stop();
});
afterAll(() => server.stop());

it('finds the fourth of five keys of an agent in one connection, and begins with it next time', async () => {
  const files = pairs.slice(0, 5).map((pair) => pair.path);
  const host = make({ identityAgent: await agentWith(...files) });
  const mark = server.log().length;
  expect(await says(host)).toBe('in\n');
  expect(count(since(mark), /Failed publickey/g)).toBe(RIGHT);
  expect(count(since(mark), /Connection from/g)).toBe(1);
  const again = server.log().length;
  await server.killSessions();
  await until(() => host.linkState().kind !== 'ready');
  await until(() => host.linkState().kind === 'ready');
  expect(count(since(again), /Accepted publickey/g)).toBe(1);
  expect(count(since(again), /Failed publickey/g)).toBe(0);
});

it('stops before sshd hangs up, says what was not offered, and goes on there next time', async () => {
  // Six wrong ones, then the right one: beyond what one connection bears.
  const wrong = pairs.filter((_, n) => n !== RIGHT).map((pair) => pair.path);
  const host = make({ identityFiles: [...wrong, pairs[RIGHT]?.path ?? ''] });
  const mark = server.log().length;
  const error = await failureOf(host.run(':', { purpose: 'test' }));
  expect(error.code).toBe('SSH_AUTH_FAILED');
  expect(error.message).toContain('2 more were not offered');
  await until(() => /Connection (closed|reset)|disconnect/i.test(since(mark)));
  expect(since(mark)).not.toMatch(/Too many|maximum authentication/i);
  host.wake();
  await until(() => host.linkState().kind === 'ready');
});

it('signs by an agent with an RSA key as SHA-2', async () => {
  const pair = await makeKeyPair(path('rsa_pair'), { type: 'rsa' });
  await appendFile(path('authorized_keys'), `${pair.publicKey}\n`);
  const host = make({ identityAgent: await agentWith(pair.path) });
  expect(await says(host)).toBe('in\n');
  expect(await says(make({ identityFiles: [pair.path] }))).toBe('in\n');
});

it('uses the agent for a key file whose passphrase nobody gave', async () => {
  const pair = pairs[RIGHT] as KeyPair;
  const locked = await makeKeyPair(path('locked'), { passphrase: 'open sesame' });
  const host = make({
    identityFiles: [locked.path, pair.path],
    identityAgent: await agentWith(pair.path),
  });
  expect(await says(host)).toBe('in\n');
});

it.each([
  ['gone', async () => path('no such.sock')],
  [
    'silent',
    async () => {
      const silent = createServer((connection) => {
        // Closing waits until we have let go of the connection.
        connection.on('error', () => {}).resume();
      });
      const closed = (): Promise<void> => new Promise((resolve) => silent.close(() => resolve()));
      agents.push({ stop: closed });
      await new Promise<void>((resolve) => silent.listen(path('silent.sock'), resolve));
      return path('silent.sock');
    },
  ],
  ['empty', () => agentWith()],
])('tells an agent that is %s, and does without it where it can', async (_, start) => {
  const identityAgent = await start();
  const host = make({ identityAgent, connectTimeoutMs: 1_000 });
  const error = await failureOf(host.run(':', { purpose: 'test' }));
  expect(error.code).toBe('SSH_AGENT_UNAVAILABLE');
  expect(error.message).toContain(identityAgent);
  expect(error.hint).toContain(`SSH_AUTH_SOCK=${identityAgent}`);
  expect(host.linkState().kind).toBe('refused');
  const identityFiles = [server.userKey.path];
  expect(await says(make({ identityAgent, identityFiles, connectTimeoutMs: 1_000 }))).toBe('in\n');
});

it('leaves a host alone that only a person can log in to', async () => {
  const own = await startSshServer({ extra: ['PasswordAuthentication yes'] });
  try {
    const host = createSshHost(own.settings({ identityFiles: [pairs[0]?.path ?? ''] }));
    hosts.push(host);
    const error = await failureOf(host.run(':', { purpose: 'test' }));
    expect(error.code).toBe('SSH_NEEDS_LOGIN');
    expect(error.message).toContain('password');
    expect(error.hint).toBe('towline host login box');
    expect(host.linkState()).toMatchObject({ kind: 'needs-login', code: 'SSH_NEEDS_LOGIN' });
    host.wake();
    await failureOf(host.run(':', { purpose: 'test' }));
    expect(count(own.log(), /Connection from/g)).toBe(1);
  } finally {
    await own.stop();
  }
});
