/** The parts of the bed itself, tried with OpenSSH's own client: what tests of Towline stand on. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { BED, bedLog, KEYS, onHost, PORTS, requireBed, testbed } from '../support/bed.ts';
import { hotp, nextOtp, otpCounter } from '../support/otp.ts';
import { type HostKeyName, knownHostsText, type Sshd, startSshd } from '../support/sshd.ts';

const run = promisify(execFile);

let dir: string;
let sshd: Sshd;

beforeAll(async () => {
  requireBed();
  dir = mkdtempSync(join(tmpdir(), 'towline-bed-'));
  sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'], lines: ['MaxAuthTries 6'] });
});

afterAll(async () => {
  await sshd.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Login {
  port?: number;
  user?: string;
  options?: string[];
  env?: Record<string, string>;
}

/** Logs in with ssh, strictly by known_hosts, and gives what `command` printed. */
async function ssh(login: Login, command = 'id -un'): Promise<string> {
  const { port = sshd.port, user = 'alice', options = [`IdentityFile=${KEYS.plain}`] } = login;
  const common = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', 'NumberOfPasswordPrompts=1'];
  const hosts = `UserKnownHostsFile=${join(BED, 'known_hosts')}`;
  const words = [...options, ...common, hosts].flatMap((option) => ['-o', option]);
  const args = ['-F', 'none', '-p', String(port), ...words, `${user}@127.0.0.1`, command];
  const { stdout } = await run('ssh', args, { env: { ...process.env, ...login.env } });
  return stdout.trim();
}

/** Environment for ssh that answers whatever it asks. */
function answering(answer: string): Record<string, string> {
  const script = join(dir, 'answer');
  writeFileSync(script, '#!/bin/sh\nprintf "%s\\n" "$BED_ANSWER"\n');
  chmodSync(script, 0o700);
  return { SSH_ASKPASS: script, SSH_ASKPASS_REQUIRE: 'force', BED_ANSWER: answer };
}

it('reaches inner through bastion only', async () => {
  expect((await testbed('ssh-to', 'inner', 'hostname')).trim()).toBe('inner');
  expect(bedLog('sshd-inner')).toContain('Accepted publickey for alice');
  await expect(onHost('vm', 'getent', 'hosts', 'inner')).rejects.toThrow('ended with 2');
  expect(await onHost('inner', 'getent', 'hosts', 'registry')).toContain('registry');
});

it('takes an encrypted, an RSA and an ECDSA key', async () => {
  const options = (key: string): string[] => [`IdentityFile=${key}`];
  expect(await ssh({ options: options(KEYS.rsa) })).toBe('alice');
  expect(await ssh({ options: options(KEYS.ecdsa) })).toBe('alice');
  const env = answering('test bed passphrase');
  expect(await ssh({ options: options(KEYS.encrypted), env })).toBe('alice');
});

it('lets in an agent whose fourth key is right, and counts the three before it', async () => {
  await using agent = await startAgent(KEYS.agent);
  await using strict = await startSshd({ lines: ['MaxAuthTries 6'] });
  const options = [`IdentityAgent=${agent.socket}`, 'IdentityFile=none', 'IdentitiesOnly=no'];
  expect(await ssh({ port: strict.port, options })).toBe('alice');
  expect(strict.logins()).toMatchObject({ connections: 1, accepted: 1, failed: 3, dropped: 0 });
});

it('asks otto for a code that works once', async () => {
  const before = await otpCounter();
  const code = await nextOtp();
  expect(code).toBe(hotp(before));
  expect(await ssh({ user: 'otto', env: answering(code) })).toBe('otto');
  expect(await otpCounter()).toBe(before + 1);
  await expect(ssh({ user: 'otto', env: answering(code) })).rejects.toThrow('Permission denied');
  expect(sshd.log()).toContain('Accepted keyboard-interactive/pam for otto');
});

it('shows each host key type on demand, and one that nobody pinned', async () => {
  for (const type of ['ed25519', 'ecdsa', 'rsa'] satisfies HostKeyName[]) {
    const algorithms = { ed25519: 'ssh-ed25519', ecdsa: 'ecdsa-*', rsa: 'rsa-sha2-*' }[type];
    const options = [`IdentityFile=${KEYS.plain}`, `HostKeyAlgorithms=${algorithms}`];
    expect(await ssh({ options })).toBe('alice');
  }
  const { port } = sshd;
  expect(sshd.knownHosts).toBe(knownHostsText(port, ['ed25519', 'ecdsa', 'rsa']));
  await using other = await startSshd({ hostKeys: ['changed'] });
  expect(other.port).not.toBe(port);
  await expect(ssh({ port: other.port })).rejects.toThrow('IDENTIFICATION HAS CHANGED');
});

it('counts penalties and refusals of MaxStartups from the log', async () => {
  await using variant = await startSshd({
    lines: ['PerSourcePenalties authfail:30s min:1s', 'MaxStartups 1:100:1'],
  });
  const { port } = variant;
  const silent = connect(port, '127.0.0.1');
  await expect.poll(() => variant.logins().connections, { interval: 20 }).toBe(1);
  await expect(ssh({ port })).rejects.toThrow(/closed|reset/);
  expect(variant.logins()).toMatchObject({ dropped: 1, penalised: 0 });
  silent.destroy();
  await expect.poll(() => variant.log(), { interval: 20 }).toContain('Connection closed by');
  const wrong = { port, options: [`IdentityFile=${KEYS.unauthorised}`] };
  await expect(ssh(wrong)).rejects.toThrow('Permission denied');
  // sshd notes it when it has reaped the child that served the connection
  await expect.poll(() => variant.log(), { interval: 20 }).toContain('failed authentication');
  await expect(ssh({ port })).rejects.toThrow(/closed|reset/);
  expect(variant.logins()).toMatchObject({ accepted: 0, failed: 1, dropped: 2, penalised: 1 });
});

it('ends a variant with its sessions, starts it again in its place, and says why a wrong line does not start', async () => {
  await using first = await startSshd({ lines: ['Match all', '  Banner none'] });
  const lasting = ssh({ port: first.port }, 'exec cat').catch(() => 'ended');
  const started = async (): Promise<boolean> => first.log().includes('Starting session');
  await expect.poll(started, { interval: 20 }).toBe(true);
  await first.down();
  expect(await lasting).toBe('ended');
  await expect(ssh({ port: first.port })).rejects.toThrow(/refused|closed|reset/);
  await first.up();
  expect(await ssh({ port: first.port })).toBe('alice');
  expect(first.logins()).toMatchObject({ accepted: 1 });
  await expect(startSshd({ lines: ['NoSuchKeyword 1'] })).rejects.toThrow('NoSuchKeyword');
});

it('black-holes one host alone', async () => {
  await testbed('net', 'drop', 'bastion');
  try {
    expect(await ssh({ port: PORTS.vm2 })).toBe('alice');
    const options = [`IdentityFile=${KEYS.plain}`, 'ConnectTimeout=1'];
    await expect(ssh({ port: PORTS.bastion, options })).rejects.toThrow(/timed? ?out/i);
  } finally {
    await testbed('net', 'heal', 'bastion');
  }
  expect(await ssh({ port: PORTS.bastion })).toBe('alice');
});
