/**
 * What a host is told when it cannot or must not be used: each case its own code, words with the
 * facts, and a link state that says what happens next. Against a real sshd.
 */
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../src/domain/failure.ts';
import type { Host } from '../../src/remote/host.ts';
import type { HostSettings } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { makeKeyPair } from '../support/ssh-keys.ts';
import {
  freePort,
  type SshServer,
  type SshServerOptions,
  startSshServer,
} from '../support/ssh-server.ts';
import { until } from '../support/until.ts';
import { failureOf, inPieces } from './host-bench.ts';

let server: SshServer;
const hosts: Host[] = [];
const servers: SshServer[] = [];

const make = (changes: Partial<HostSettings> = {}): Host => {
  const host = createSshHost(server.settings(changes));
  hosts.push(host);
  return host;
};
/** A server of the test's own, and a host that may log in to it. */
const startOwn = async (options: SshServerOptions): Promise<{ own: SshServer; host: Host }> => {
  const own = await startSshServer(options);
  servers.push(own);
  const host = createSshHost(own.settings());
  hosts.push(host);
  return { own, host };
};
const refusal = async (
  changes: Partial<HostSettings>,
): Promise<{ host: Host; error: AppError }> => {
  const host = make(changes);
  const error = await failureOf(host.run(':', { purpose: 'test' }));
  return { host, error };
};
const knownHosts = async (name: string, text: string): Promise<{ knownHostsFiles: string[] }> => {
  const path = join(server.directory, name);
  await writeFile(path, text);
  return { knownHostsFiles: [path] };
};
const fingerprintOf = (path: string): string =>
  /SHA256:\S+/.exec(execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }))?.[0] ?? '?';

beforeAll(async () => {
  server = await startSshServer();
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  for (const own of servers.splice(0)) await own.stop();
});
afterAll(() => server.stop());

describe('host keys', () => {
  const name = (): string => `[127.0.0.1]:${server.port}`;

  it('refuses an unknown key, shows its fingerprint, and sends nothing', async () => {
    const { host, error } = await refusal(await knownHosts('none', '# nothing\n'));
    expect(error.code).toBe('SSH_HOST_KEY_UNKNOWN');
    expect(error.message).toContain(fingerprintOf(`${server.hostKey.path}.pub`));
    expect(error.hint).toContain('towline host trust ');
    expect(host.linkState()).toMatchObject({ kind: 'refused', code: 'SSH_HOST_KEY_UNKNOWN' });
    expect(host.counters().logins).toBe(0);
  });

  it('treats a missing known_hosts file as empty', async () => {
    const { error } = await refusal({ knownHostsFiles: [join(server.directory, 'no such file')] });
    expect(error.code).toBe('SSH_HOST_KEY_UNKNOWN');
  });

  it('refuses a changed key with both fingerprints, file and line', async () => {
    const other = await makeKeyPair(join(server.directory, 'other_host_key'));
    const files = await knownHosts('changed', `# comment\n${name()} ${other.publicKey}\n`);
    const { error } = await refusal(files);
    expect(error.code).toBe('SSH_HOST_KEY_CHANGED');
    expect(error.message).toContain(fingerprintOf(`${server.hostKey.path}.pub`));
    expect(error.message).toContain(fingerprintOf(`${other.path}.pub`));
    expect(error.message).toContain(`${files.knownHostsFiles[0]}:2`);
  });

  it('does not let a host fall back to a key type that is not pinned', async () => {
    const other = await makeKeyPair(join(server.directory, 'other_rsa_key'), { type: 'rsa' });
    const { error } = await refusal(await knownHosts('type', `${name()} ${other.publicKey}\n`));
    expect(error.code).toBe('SSH_HOST_KEY_CHANGED');
    expect(error.message).toContain('no key of a pinned type');
  });

  it('refuses a revoked key even where it is pinned too', async () => {
    const { publicKey } = server.hostKey;
    const text = `${name()} ${publicKey}\n@revoked * ${publicKey}\n`;
    expect((await refusal(await knownHosts('revoked', text))).error.code).toBe(
      'SSH_HOST_KEY_REVOKED',
    );
  });

  it('fails closed on a revocation that cannot be read', async () => {
    const text = `${name()} ${server.hostKey.publicKey}\n@revoked * ssh-ed25519 AAAA\n`;
    const { error } = await refusal(await knownHosts('bad-revoked', text));
    expect(error.code).toBe('SSH_HOST_KEY_REVOKED');
    expect(error.message).toContain(':2 revokes a key');
  });

  it('accepts a hashed line', async () => {
    const path = join(server.directory, 'hashed');
    await writeFile(path, `${name()} ${server.hostKey.publicKey}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' });
    expect(await readFile(path, 'utf8')).toMatch(/^\|1\|/);
    const host = make({ knownHostsFiles: [path] });
    expect((await host.run('echo in', { purpose: 'test' })).output).toBe('in\n');
  });

  it.each(['rsa', 'ecdsa'] as const)('accepts a pinned %s key', async (hostKeyType) => {
    const { host } = await startOwn({ hostKeyType });
    expect((await host.run('echo in', { purpose: 'test' })).output).toBe('in\n');
  });

  it('goes on by wake() once the key is pinned', async () => {
    const files = await knownHosts('later', '');
    const { host } = await refusal(files);
    await appendFile(files.knownHostsFiles[0] as string, `${name()} ${server.hostKey.publicKey}\n`);
    expect((await failureOf(host.run(':', { purpose: 'test' }))).code).toBe('SSH_HOST_KEY_UNKNOWN');
    host.wake();
    expect((await host.run('echo in', { purpose: 'test' })).output).toBe('in\n');
    expect(host.linkState().kind).toBe('ready');
  });
});

describe('user keys', () => {
  it('names the keys that were offered in vain', async () => {
    const wrong = await makeKeyPair(join(server.directory, 'wrong_user_key'));
    const { host, error } = await refusal({ identityFiles: [wrong.path] });
    expect(error.code).toBe('SSH_AUTH_FAILED');
    expect(error.message).toContain(fingerprintOf(`${wrong.path}.pub`));
    expect(error.message).toContain(wrong.path);
    expect(host.linkState()).toMatchObject({ kind: 'refused' });
  });

  it('tries several keys in their order', async () => {
    const host = make({
      identityFiles: [join(server.directory, 'wrong_user_key'), server.userKey.path],
    });
    expect((await host.run('echo in', { purpose: 'test' })).output).toBe('in\n');
  });

  it('refuses a key that others may read', async () => {
    const path = join(server.directory, 'open_key');
    await copyFile(server.userKey.path, path);
    await chmod(path, 0o640);
    const { error } = await refusal({ identityFiles: [path] });
    expect(error.code).toBe('SSH_KEY_UNREADABLE');
    expect(error.message).toContain('0640');
  });

  it('tells a missing key, a broken key and a public key apart', async () => {
    const broken = join(server.directory, 'broken_key');
    await writeFile(broken, 'not a key\n', { mode: 0o600 });
    const open = join(server.directory, 'public_key');
    await writeFile(open, `${server.userKey.publicKey}\n`, { mode: 0o600 });
    for (const path of [join(server.directory, 'no key'), broken, open]) {
      const { error } = await refusal({ identityFiles: [path] });
      expect(error.code).toBe('SSH_KEY_UNREADABLE');
      expect(error.message).toContain(path);
    }
  });

  it('says that a key wants a passphrase, and opens it with one', async () => {
    const pair = await makeKeyPair(join(server.directory, 'locked_key'), {
      passphrase: 'open sesame',
    });
    const { error } = await refusal({ identityFiles: [pair.path] });
    expect(error.code).toBe('SSH_KEY_UNREADABLE');
    expect(error.message).toContain('passphrase');
    await appendFile(join(server.directory, 'authorized_keys'), `${pair.publicKey}\n`);
    const passphraseFile = join(server.directory, 'passphrase');
    await writeFile(passphraseFile, 'open sesame\n', { mode: 0o600 });
    const host = make({ identityFiles: [pair.path], passphraseFile });
    expect((await host.run('echo in', { purpose: 'test' })).output).toBe('in\n');
  });
});

describe('the way to the host', () => {
  it('tells a closed port', async () => {
    const { host, error } = await refusal({ port: await freePort() });
    expect(error.code).toBe('SSH_CONNECTION_REFUSED');
    expect(host.linkState()).toMatchObject({ kind: 'unreachable' });
  });

  it('tells a name that does not resolve', async () => {
    const { error } = await refusal({ hostname: 'no-such-host.invalid' });
    expect(error.code).toBe('SSH_HOST_NAME_UNKNOWN');
  });

  it('fails at once while unreachable and comes back by itself', async () => {
    const port = await freePort();
    const { host } = await refusal({ port, reconnectMaxMs: 200, reconnectMinMs: 200 });
    const startedAt = performance.now();
    await failureOf(host.run(':', { purpose: 'test' }));
    expect(performance.now() - startedAt).toBeLessThan(100);
    const { own: late } = await startOwn({ port });
    await appendFile(
      join(server.directory, 'known_hosts'),
      `[127.0.0.1]:${port} ${late.hostKey.publicKey}\n`,
    );
    await appendFile(join(late.directory, 'authorized_keys'), `${server.userKey.publicKey}\n`);
    await until(() => host.linkState().kind === 'ready' || host.linkState().kind === 'refused');
    // Between the server's start and its key being pinned the host may rightly refuse.
    if (host.linkState().kind === 'refused') host.wake();
    await until(() => host.linkState().kind === 'ready');
  });

  it('names the noise that spoils SFTP', async () => {
    const noise = 'case "$SSH_ORIGINAL_COMMAND" in */sftp-server) echo Welcome ;; esac';
    const { host } = await startOwn({
      extra: [`ForceCommand ${noise}; exec $SSH_ORIGINAL_COMMAND`],
    });
    const error = await failureOf(host.run(':', { purpose: 'test' }));
    expect(error.message).toContain('"Welc"');
  });

  it('says what an account without a shell says', async () => {
    const { host } = await startOwn({
      extra: ['ForceCommand echo this account is closed; exit 1'],
    });
    const error = await failureOf(host.run(':', { purpose: 'test' }));
    expect(error.message).toContain('this account is closed');
  });
});

describe.runIf(userInfo().uid === 0)('a full disk on the host', () => {
  it('is told from other failures', async () => {
    const small = join(server.directory, 'small');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    try {
      const host = make();
      const error = await failureOf(host.upload(inPieces(Buffer.alloc(4 << 20)), `${small}/file`));
      expect(error.code).toBe('HOST_NO_SPACE');
      expect(error.context['host']).toBe('box');
    } finally {
      // Lazily: the server may still hold the file that could not be finished.
      execFileSync('umount', ['-l', small]);
      await rm(small, { recursive: true });
    }
  });
});
