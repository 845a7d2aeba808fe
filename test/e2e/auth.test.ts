/**
 * Getting in: agents, keys with a passphrase, and a host that asks for a one-time code. What counts is
 * what sshd logs: no login is tried that cannot work, and nobody is asked twice.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formsOf, leaksBelow } from '../seeds/remains.ts';
import { watchArgv } from '../seeds/watch-argv.ts';
import { startAgent } from '../support/agent.ts';
import { hostSection, KEYS, onHost, REPO, sharedSif } from '../support/bed.ts';
import { finished, makeDaemon, type Ran, type TestDaemon } from '../support/daemon.ts';
import { nextOtp } from '../support/otp.ts';
import { knownHostsText, type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

/** Wrong, and as long as a password, so that chance does not find it anywhere. */
const ANSWER = { name: 'an answer', secret: 'planted-answer-8RkQ3vTz' };

let sshd: Sshd;
let sif: string;
let daemon: TestDaemon;
let dir: string;
let agent: Awaited<ReturnType<typeof startAgent>>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'towline-auth-'));
  [sshd, sif, agent] = await Promise.all([
    startSshd({ lines: ['MaxAuthTries 6'] }),
    sharedSif('vm2'),
    startAgent(KEYS.agent),
  ]);
  const port = String(sshd.port);
  // vm2 as it is seen from its own inside.
  const known_hosts = join(dir, 'known_hosts');
  writeFileSync(
    known_hosts,
    knownHostsText(22, ['ed25519']).replace('[127.0.0.1]:22', '127.0.0.1'),
  );
  const behind = { port: '22', jump: 'gate', known_hosts };
  const gate = { ...hostSection('vm2', 'otto'), port, enabled: 'false' };
  const lines = Object.entries(gate).map(([key, value]) => `${key} = ${value}`);
  daemon = makeDaemon({
    hosts: {
      otto: { on: 'vm2', user: 'otto', keys: { port, max_tasks: '16' } },
      nodes: {
        ...{ on: 'vm2', user: 'otto' },
        // Nothing listens on the first.
        keys: { hostname: `127.0.0.1:1, 127.0.0.1:${port}`, port: '' },
      },
      agent: { on: 'vm2', keys: { port, identity_file: '/none', identity_agent: agent.socket } },
      locked: {
        on: 'vm2',
        user: 'bob',
        keys: { port, identity_file: KEYS.encrypted, passphrase_file: KEYS.passphraseFile },
      },
      behind: { on: 'vm2', keys: behind },
      beside: { on: 'vm2', user: 'bob', keys: behind },
    },
    more: ['[host.gate]', ...lines].join('\n'),
  });
  await daemon.start();
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await sshd?.stop();
  await agent?.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Link {
  kind: string;
  code?: string;
  hint?: string;
  nextTryAt?: string;
}

const linkOf = async (host: string): Promise<Link> => (await daemon.showHost(host)).link;
const runOn = (host: string, ...command: string[]): Promise<Ran> =>
  daemon.cli('run', '--host', host, sif, '--', ...command);
/** `towline host login` with these lines on its stdin. */
const login = (host: string, lines: string[], ...options: string[]): Promise<Ran> => {
  const words = [join(REPO, 'src/main.ts'), 'host', 'login', host, ...options];
  const env = { ...process.env, TOWLINE_SOCKET: daemon.socket };
  const child = spawn(process.execPath, words, { env, stdio: 'pipe' });
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  return finished(child);
};

it('uses the fourth key of an agent in one login, and none before it the next time', async () => {
  const before = sshd.logins();
  expect((await runOn('agent', 'echo', 'in')).stdout).toBe('in\n');
  const after = sshd.logins();
  // The control link is the first; transfers begin with the key that worked.
  expect(after.failed - before.failed).toBe(3);
  expect(after.connections - before.connections).toBe(after.accepted - before.accepted);
  expect(sshd.log()).not.toMatch(/Too many authentication failures|maximum authentication/);
});

it('opens a key with a passphrase from a file', async () => {
  expect((await runOn('locked', 'echo', 'in')).stdout).toBe('in\n');
});

it('leaves a host alone that asks for a code, until somebody gives it, once', async () => {
  const started = sshd.logins();
  const count = (): number => sshd.logins().connections - started.connections;
  const first = await daemon.submit('--host', 'otto', sif, '--', 'echo', 'first');
  await until(async () => (await daemon.show(first)).blocked !== undefined);
  const { blocked } = await daemon.show(first);
  expect(blocked).toMatchObject({ reason: 'SSH_NEEDS_LOGIN', hint: 'towline host login otto' });
  expect(blocked?.nextTryAt).toBeUndefined();
  expect(await linkOf('otto')).toMatchObject({ kind: 'needs-login', code: 'SSH_NEEDS_LOGIN' });
  // Somebody looking is no reason to knock.
  await daemon.cli('host', 'show', 'otto');
  expect(count()).toBe(1);

  const argv = watchArgv([ANSWER]);
  const wrong = await login('otto', [ANSWER.secret, '000000', '000000']);
  expect(wrong.stderr).toContain('SSH_LOGIN_FAILED');
  expect(wrong.stderr).toContain('towline host login otto');
  const tried = count();
  const ran = await login('otto', ['000000', await nextOtp()]);
  expect(ran.stderr).toContain('towline: host otto asks');
  expect(ran.stdout).toBe('otto: logged in, the link is ready\n');
  expect((await daemon.cli('wait', first)).code).toBe(0);

  const tasks = Array.from({ length: 50 }, (_, n) => ({
    host: 'otto',
    image: sif,
    command: ['echo', String(n)],
    name: `n${n}`,
  }));
  const file = join(daemon.dir, 'tasks.json');
  writeFileSync(file, JSON.stringify(tasks));
  const ids = (await daemon.submit('--file', file)).split('\n');
  expect(ids).toHaveLength(50);
  expect((await daemon.cli('wait', ...ids)).code).toBe(0);
  expect(count()).toBe(tried + 1);
  expect(sshd.log().match(/Accepted keyboard-interactive/g)).toHaveLength(1);

  await onHost('vm2', 'pkill', '-KILL', '-u', 'otto', 'sshd');
  await until(async () => (await linkOf('otto')).kind === 'needs-login');
  const last = await daemon.submit('--host', 'otto', sif, '--', 'echo', 'last');
  await until(async () => (await daemon.show(last)).blocked?.reason === 'SSH_NEEDS_LOGIN');
  expect(count()).toBe(tried + 1);

  const code = await nextOtp();
  const again = await login('otto', [code], '--json');
  expect((JSON.parse(again.stdout) as { link: Link }).link.kind).toBe('ready');
  expect((await daemon.cli('wait', last)).code).toBe(0);
  expect(count()).toBe(tried + 2);
  // Nothing was kept of what was typed.
  expect(daemon.log()).not.toContain(code);
  expect(argv.stop()).toEqual([]);
  expect(leaksBelow(daemon.dir, formsOf([ANSWER]))).toEqual([]);
  const grep = `grep -rlaF ${ANSWER.secret.slice(0, 10)} ${daemon.rootOn('otto')} || true`;
  expect(await onHost('vm2', 'sh', '-c', grep)).toBe('');
});

it('asks for the code of a jump host once for all hosts behind it', async () => {
  const started = sshd.logins();
  const count = (): number => sshd.logins().connections - started.connections;
  const hosts = ['behind', 'beside'];
  const ids = await Promise.all(
    hosts.map((host) => daemon.submit('--host', host, sif, '--', 'id')),
  );
  for (const [n, host] of hosts.entries()) {
    await until(async () => (await daemon.show(ids[n] ?? '')).blocked !== undefined);
    const { blocked } = await daemon.show(ids[n] ?? '');
    expect(blocked).toMatchObject({
      reason: 'SSH_NEEDS_LOGIN',
      hint: `towline host login ${host}`,
    });
    expect(blocked?.message).toContain(`jump host gate of host ${host}: host gate `);
  }
  expect(count()).toBe(1);
  const ran = await login('behind', [await nextOtp()]);
  expect(ran.stderr).toContain('towline: jump host gate of host behind asks');
  expect((await daemon.cli('wait', ...ids)).code).toBe(0);
  expect(count()).toBe(2);
  await onHost('vm2', 'pkill', '-KILL', '-u', 'otto', 'sshd');
  for (const host of hosts) await until(async () => (await linkOf(host)).kind === 'needs-login');
  expect(count()).toBe(2);
});

it('asks for the code of the login node that answers, where another is down', async () => {
  const started = sshd.logins().accepted;
  const id = await daemon.submit('--host', 'nodes', sif, '--', 'id', '-un');
  await until(async () => (await daemon.show(id)).blocked?.reason === 'SSH_NEEDS_LOGIN');
  const ran = await login('nodes', [await nextOtp()]);
  expect(ran.stdout).toBe('nodes: logged in, the link is ready\n');
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect((await daemon.cli('logs', id)).stdout).toBe('otto\n');
  expect(sshd.logins().accepted - started).toBe(1);
});
