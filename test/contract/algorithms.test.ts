/**
 * Goal: a host that offers only what is broken or out of date is refused before anything is sent, and a
 * login never signs with SHA-1, agent, X11 and port forwarding are never asked for. Method: real sshds,
 * each restricted to one such thing; their own logs tell what was negotiated.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { Host } from '../../src/remote/host.ts';
import { pinsForName } from '../../src/remote/ssh/known-hosts.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { makeKeyPair } from '../support/ssh-keys.ts';
import { type SshServer, type SshServerOptions, startSshServer } from '../support/ssh-server.ts';
import { failureOf } from './host-bench.ts';

const open: { server: SshServer; host: Host }[] = [];

afterEach(async () => {
  for (const { server, host } of open.splice(0)) {
    await host.close();
    await server.stop();
  }
});

async function start(options: SshServerOptions): Promise<{ server: SshServer; host: Host }> {
  const server = await startSshServer(options);
  const pair = { server, host: createSshHost(server.settings()) };
  open.push(pair);
  return pair;
}

const hello = (host: Host) => host.run('echo hello', { purpose: 'saying hello' });

it.each([
  ['a SHA-1 signature of the host', 'SSH_HOST_KEY_CHANGED', 'rsa', 'HostKeyAlgorithms ssh-rsa'],
  ['a SHA-1 key exchange', 'SSH_PROTOCOL', 'ed25519', 'KexAlgorithms diffie-hellman-group14-sha1'],
  [
    'hmac-sha1',
    'SSH_PROTOCOL',
    'ed25519',
    'MACs hmac-sha1,hmac-sha1-etm@openssh.com\nCiphers aes128-ctr',
  ],
  [
    '64 bits of a MAC',
    'SSH_PROTOCOL',
    'ed25519',
    'MACs umac-64-etm@openssh.com\nCiphers aes128-ctr',
  ],
  ['CBC', 'SSH_PROTOCOL', 'ed25519', 'Ciphers aes128-cbc,aes256-cbc,3des-cbc'],
  [
    'chacha20-poly1305, open to Terrapin',
    'SSH_PROTOCOL',
    'ed25519',
    'Ciphers chacha20-poly1305@openssh.com',
  ],
] as const)('refuses a host that has nothing but %s', async (_, code, hostKeyType, lines) => {
  const { server, host } = await start({ hostKeyType, extra: lines.split('\n') });
  expect((await failureOf(hello(host))).code).toBe(code);
  expect(server.log()).not.toMatch(/Accepted/);
});

it('logs in with AES-GCM and SHA-2, and asks for nothing to be forwarded', async () => {
  const { server, host } = await start({ extra: ['LogLevel DEBUG3'] });
  expect((await hello(host)).output).toBe('hello\n');
  const log = server.log();
  expect(log).toMatch(/kex: client->server cipher: aes\d+-gcm@openssh.com/);
  expect(log).toMatch(/will use strict KEX ordering/);
  expect(log).not.toMatch(/auth-agent-req|x11-req|tcpip-forward|direct-tcpip|kex: .* zlib/);
});

it('an RSA key of a user signs with SHA-2 even for a sshd that would take SHA-1', async () => {
  const { server } = await start({
    extra: ['PubkeyAcceptedAlgorithms +ssh-rsa', 'LogLevel VERBOSE'],
  });
  const key = await makeKeyPair(`${server.directory}/rsa_user`, { type: 'rsa' });
  execFileSync('sh', [
    '-c',
    'cat "$1" >>"$2"',
    'sh',
    `${key.path}.pub`,
    `${server.directory}/authorized_keys`,
  ]);
  const host = createSshHost(server.settings({ identityFiles: [key.path] }));
  try {
    expect((await hello(host)).output).toBe('hello\n');
    expect(server.log()).toMatch(/Accepted publickey .* RSA /);
  } finally {
    await host.close();
  }
});

it('a pinned RSA key of less than 2048 bits is not used', async () => {
  const { server } = await start({});
  const path = `${server.directory}/weak`;
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', path]);
  const strong = await makeKeyPair(`${server.directory}/strong`, { type: 'rsa' });
  const line = (file: string) => `host ${readFileSync(`${file}.pub`, 'utf8')}`;
  const pins = pinsForName([{ path: 'k', text: line(path) + line(strong.path) }], 'host');
  expect(pins.pinned.map(({ line: at }) => at)).toEqual([2]);
  expect(pins.unusable.map(({ reason }) => reason)).toEqual([expect.stringContaining('1024 bits')]);
});
