/** What is taken from ~/.ssh/config, what is not, and what is said about it. The values themselves: test/property. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { explainNote } from '../../../src/config/explain.ts';
import { load, temporaryDirectory, writeText } from './support.ts';

function loadWith(ssh: string, ini: string, more: Record<string, string> = {}): Config {
  const home = temporaryDirectory();
  writeText(join(home, '.ssh/config'), ssh);
  chmodSync(join(home, '.ssh/config'), 0o600);
  for (const [path, text] of Object.entries(more)) {
    writeText(join(home, path), text);
    chmodSync(join(home, path), 0o600);
  }
  return load(ini, { home });
}

const notesOf = (config: Config): string[] =>
  config.notes.map((note) => explainNote(note).replace(/^\S*\/\.ssh\//, ''));

describe('values', () => {
  it('fill what the section leaves open, with their place', () => {
    const config = loadWith(
      'Host vm\n HostName 10.0.0.1\n User bob\n Port 2222',
      '[host.vm]\nport = 22',
    );
    expect(config.hosts['vm']).toMatchObject({ hostnames: ['10.0.0.1'], user: 'bob', port: 22 });
    expect(config.sources['host.vm.user']).toMatch(/\.ssh\/config:3$/);
    expect(config.sources['host.vm.port']).toMatch(/a\.ini:2$/);
  });

  it('are looked up under hostname where the section has one, and then HostName is not taken', () => {
    const ssh = 'Host vm\n User wrong\nHost real.lan\n User right\n HostName other.lan';
    const config = loadWith(ssh, '[host.vm]\nhostname = real.lan');
    expect(config.hosts['vm']).toMatchObject({ hostnames: ['real.lan'], user: 'right' });
  });

  it.each([
    ['[host.vm]\nssh_config = none'],
    ['[defaults]\nssh_config = none\n[host.vm]'],
    ['[host.vm]\ntype = local'],
  ])('are not asked for by %j', (ini) => {
    expect(loadWith('Host *\n User bob', ini).hosts['vm']?.user).not.toBe('bob');
  });

  it('come from included files, in their order, within the block that includes them', () => {
    const config = loadWith(
      'Host vm\n Include conf.d/*\nHost *\n User last',
      '[host.vm]\n[host.b]',
      {
        '.ssh/conf.d/1': 'Host other\n User no\nHost v*\n User first',
        '.ssh/conf.d/2': 'User second\nPort 9',
        '.ssh/conf.d/.hidden': 'HostName no',
      },
    );
    expect(config.hosts['vm']).toMatchObject({ user: 'first', port: 9, hostnames: ['vm'] });
    expect(config.hosts['b']).toMatchObject({ user: 'last', port: 22 });
  });

  it('make jump hosts, which are looked up themselves', () => {
    const config = loadWith(
      'Host in\n ProxyJump gate,x@two:33\nHost gate\n User g\n HostName gate.lan\n ProxyJump zero',
      '[host.in]',
    );
    expect(config.hosts['in']?.jump).toEqual(['gate', 'x@two:33']);
    expect(config.jumpHosts['gate']).toMatchObject({ user: 'g', hostnames: ['gate.lan'] });
    expect(Object.keys(config.jumpHosts)).toEqual(['gate', 'x@two:33', 'zero']);
    expect(config.sources['jump.gate.user']).toMatch(/config:4$/);
  });

  it('a jump of the section may name what only ~/.ssh/config knows', () => {
    const config = loadWith('Host gate\n HostName gate.lan', '[host.in]\njump = gate');
    expect(config.jumpHosts['gate']?.hostnames).toEqual(['gate.lan']);
  });

  it('a host that every host is reached through is reached without itself', () => {
    const config = loadWith('Host *\n ProxyJump gate', '[host.in]\n[host.gate]');
    expect([config.hosts['in']?.jump, config.hosts['gate']?.jump]).toEqual([['gate'], []]);
    expect(notesOf(config)[0]).toMatch(/^config:2: proxyjump for gate: the way leads in a circle/);
  });
});

describe('notes', () => {
  it('nothing is ever run', () => {
    const marker = join(temporaryDirectory(), 'ran');
    const config = loadWith(
      `Match exec "touch ${marker}"\n User no\nMatch !exec "touch ${marker}" host *\n Port 1\nHost *\n ProxyCommand touch ${marker}\n KnownHostsCommand /bin/touch ${marker}\n CanonicalizeHostname yes`,
      '[host.vm]',
    );
    expect(existsSync(marker)).toBe(false);
    expect(config.hosts['vm']).toMatchObject({ port: 22 });
    expect(notesOf(config)).toEqual([
      'config:1: match exec: no command is ever run, so the block does not count',
      'config:3: match exec: no command is ever run, so the block does not count',
      'config:6: proxycommand: no command is ever run; if the host is behind another one, set jump',
      'config:7: knownhostscommand: no command is ever run',
    ]);
  });

  it.each([
    ['Port 99999', 'config:1: port: "99999" is not a port; the value is not taken'],
    [
      'IdentityFile "x',
      'config:1: identityfile: has a quote that is not closed; the line is passed over',
    ],
    ['User', 'config:1: user: has no value; the line is passed over'],
    ['User a b', 'config:1: user: "a b" is more than one word; the line is passed over'],
    ['IdentityFile /k#1', 'config:1: identityfile: has a # within a word; the line is passed over'],
    [
      'HostName $(id)',
      'config:1: hostname: "$(id)" is not a name or address; the value is not taken',
    ],
    ['HostName -oX', 'config:1: hostname: "-oX" is not a name or address; the value is not taken'],
    ['User bob;id', 'config:1: user: "bob;id" is not usable; the value is not taken'],
    [
      'IdentityAgent /a/%C',
      'config:1: identityagent: "%C" is not understood here; the value is not taken',
    ],
    [
      'IdentityFile ~bob/k',
      'config:1: identityfile: "~bob/k": only your own ~ is expanded; it is not taken',
    ],
    [
      'Match localnetwork 10.0.0.0/8\nUser no',
      'config:1: match localnetwork: this is not supported, so the block does not count',
    ],
    ['Host "x\nUser no', 'config:1: host: has a quote that is not closed; the line is passed over'],
  ])('%j costs only itself', (text, note) => {
    const config = loadWith(`${text}\nHost vm\nHostKeyAlias good`, '[host.vm]');
    expect(notesOf(config)).toEqual([note]);
    expect(config.hosts['vm']).toMatchObject({ hostKeyAlias: 'good', hostnames: ['vm'], port: 22 });
    expect(config.hosts['vm']?.user).not.toBe('no');
  });

  it('a file that others may write is not used', () => {
    const home = temporaryDirectory();
    chmodSync(writeText(join(home, '.ssh/config'), 'User mallory'), 0o666);
    const config = load('[host.vm]', { home });
    expect(config.hosts['vm']?.user).not.toBe('mallory');
    expect(notesOf(config)).toEqual([
      expect.stringMatching(/somebody else owns this file or may write it; it is not used$/),
    ]);
  });

  it('a file that includes itself ends', () => {
    const config = loadWith('Include config\nUser bob', '[host.vm]');
    expect(config.hosts['vm']?.user).toBe('bob');
    expect(notesOf(config)).toEqual(['config:1: include: too deep; the line is passed over']);
  });
});

describe('secrets by systemd', () => {
  it('a path may begin with $CREDENTIALS_DIRECTORY, and a passphrase there is found by name', () => {
    const directory = temporaryDirectory();
    const file = writeText(join(directory, 'towline.vm.passphrase'), 'x');
    const env = { CREDENTIALS_DIRECTORY: directory, SSH_AUTH_SOCK: '/run/agent' };
    const config = load('[host.vm]\nidentity_file = $CREDENTIALS_DIRECTORY/key', { env });
    expect(config.hosts['vm']).toMatchObject({
      identityFiles: [join(directory, 'key')],
      passphraseFile: file,
      identityAgent: '/run/agent',
    });
    const none = load('[host.vm]\npassphrase_file = none\nidentity_agent = none', { env });
    expect(none.hosts['vm']).toMatchObject({ passphraseFile: undefined, identityAgent: undefined });
  });

  it('outside of the unit the path stays as it is written', () => {
    const config = load('[host.vm]\nidentity_file = $CREDENTIALS_DIRECTORY/key');
    expect(config.hosts['vm']?.identityFiles).toEqual(['$CREDENTIALS_DIRECTORY/key']);
  });
});
