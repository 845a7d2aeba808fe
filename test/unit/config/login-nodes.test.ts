/** Several login nodes of a host: how they are written, what OpenSSH's configuration adds to each, what the bridge gets. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { describeConfig } from '../../../src/config/describe.ts';
import { parseLoginNode } from '../../../src/config/login-node.ts';
import { engineSettings, sshSettings } from '../../../src/host-settings.ts';
import type { HostSettings } from '../../../src/remote/settings.ts';
import { load, temporaryDirectory, writeText } from './support.ts';

function loadWith(ssh: string, ini: string): Config {
  const home = temporaryDirectory();
  chmodSync(writeText(join(home, '.ssh/config'), ssh), 0o600);
  return load(ini, { home });
}

const settingsOf = (config: Config, name = 'hpc'): HostSettings => {
  const host = config.hosts[name];
  if (host === undefined) throw new Error(`no host ${name}`);
  return sshSettings(host, config);
};
const nodesOf = (settings: HostSettings): HostSettings[] => [
  settings,
  ...(settings.furtherNodes ?? []),
];
const shown = (settings: HostSettings): string[] =>
  nodesOf(settings).map(({ user, hostname, port }) => `${user}@${hostname}:${port}`);

it.each([
  ['login1', { host: 'login1', port: undefined }],
  ['login1:2222', { host: 'login1', port: 2222 }],
  ['192.0.2.1:2222', { host: '192.0.2.1', port: 2222 }],
  ['abcd:22', { host: 'abcd', port: 22 }],
  ['2001:db8::1:22', { host: '2001:db8::1:22' }],
  ['[2001:db8::1]:22', { host: '2001:db8::1', port: 22 }],
  ['me@login1', undefined],
  ['login1:0', undefined],
])('%s', (text, expected) => {
  expect(parseLoginNode(text)).toEqual(expected);
});

describe('a host with several', () => {
  const TEXT = '[host.hpc]\nhostname = login1, login2:2222, [::1]:23\nuser = u\nport = 24';

  it('has all of them for the bridge, in order, each complete', () => {
    const settings = settingsOf(load(`${TEXT}\nlogin_burst = 2\njump = gate:22`));
    expect(shown(settings)).toEqual(['u@login1:24', 'u@login2:2222', 'u@::1:23']);
    for (const node of nodesOf(settings)) {
      expect(node).toMatchObject({ name: 'hpc', loginBurst: 2, jumps: [{ hostname: 'gate' }] });
    }
    expect(settings.furtherNodes?.map((node) => node.furtherNodes)).toEqual([undefined, undefined]);
  });

  it('is shown with all of them, and is another host when one of them changes', () => {
    const policy = (text: string) =>
      engineSettings(load(text), console as never).hosts[0]?.policy ?? { address: '' };
    expect(policy(TEXT).address).toBe('u@login1:24, u@login2:2222, u@::1:23');
    expect(policy(TEXT)).toMatchObject({ configured: expect.stringContaining('login2') });
    const other = TEXT.replace('login2', 'login3');
    expect(policy(TEXT)).not.toMatchObject({ configured: (policy(other) as never)['configured'] });
  });

  it('is written back as it was', () => {
    const rows = describeConfig(load(TEXT)).filter(({ key }) => key === 'hostname');
    expect(rows.map(({ section, value }) => [section, value])).toEqual([
      ['host.hpc', 'login1, login2:2222, [::1]:23'],
      ['node.hpc/login2:2222', 'login2:2222'],
      ['node.hpc/[::1]:23', '[::1]:23'],
    ]);
  });

  it('as a jump host is one with the same nodes', () => {
    const config = load(`${TEXT}\n[host.inner]\njump = hpc`);
    const [hop] = settingsOf(config, 'inner').jumps;
    expect(shown(hop as HostSettings)).toEqual(['u@login1:24', 'u@login2:2222', 'u@::1:23']);
  });
});

it('~/.ssh/config is asked for each node by its own name', () => {
  const ssh = `Host login1
 User one
 HostKeyAlias alias1
Host login2
 User two
 Port 2200
 ProxyJump gate
 HostName other.lan
Match originalhost login* user two
 IdentityFile /k/two`;
  const config = loadWith(ssh, '[host.hpc]\nhostname = login1, login2, login3:5');
  const [first, second, third] = nodesOf(settingsOf(config));
  expect(first).toMatchObject({ user: 'one', hostKeyAlias: 'alias1', port: 22, jumps: [] });
  // HostName of a name that the section gives is not taken, as for a single one.
  expect(second).toMatchObject({ user: 'two', hostname: 'login2', port: 2200 });
  expect(second).toMatchObject({ identityFiles: ['/k/two'], jumps: [{ name: 'gate' }] });
  expect(third).toMatchObject({ hostname: 'login3', port: 5, jumps: [] });
  expect(config.sources['node.hpc/login2.port']).toMatch(/config:6$/);
  expect(config.jumpHosts['gate']).toMatchObject({ hostnames: ['gate'] });
});

it('a way of one node that leads in a circle is left out, and noted', () => {
  const config = loadWith('Host b\n ProxyJump hpc', '[host.hpc]\nhostname = a, b');
  expect(nodesOf(settingsOf(config)).map(({ jumps }) => jumps)).toEqual([[], []]);
  expect(config.notes.map(({ what }) => what)).toEqual([
    expect.stringContaining('proxyjump for hpc/b: the way leads in a circle'),
  ]);
});
