/** The way to a host: names, foreign hosts, ways of ways, circles; and what engine and bridge get of it. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { parseHop } from '../../../src/config/jump-hop.ts';
import { engineSettings, sshSettings } from '../../../src/host-settings.ts';
import { complaints, load } from './support.ts';

function hops(config: Config, name: string): string[] {
  const host = config.hosts[name];
  if (host === undefined) throw new Error(`no host ${name}`);
  return sshSettings(host, config).jumps.map(
    (hop) => `${hop.name}=${hop.user}@${hop.hostname}:${hop.port}`,
  );
}

describe('the way', () => {
  it('is that of the first hop, then the hops as written; every hop is complete', () => {
    const config = load(`[host.in]
jump = mid, me@last.lan:2222
[host.mid]
enabled = false
user = carol
jump = out
known_hosts = /kh/mid
[host.out]
user = dave
hostname = out.lan`);
    expect(hops(config, 'in')).toEqual([
      'out=dave@out.lan:22',
      'mid=carol@mid:22',
      'me@last.lan:2222=me@last.lan:2222',
    ]);
    const [, mid] = sshSettings(config.hosts['in'] as never, config).jumps;
    expect(mid).toMatchObject({ knownHostsFiles: ['/kh/mid'], jumps: [], loginBurst: 6 });
    expect(hops(config, 'out')).toEqual([]);
  });

  it('of a later hop is not asked for: it is given already', () => {
    const config = load(`[host.in]
jump = a, b
[host.a]
user = u
[host.b]
user = u
jump = a`);
    expect(hops(config, 'in')).toEqual(['a=u@a:22', 'b=u@b:22']);
  });

  it.each([
    ['none', []],
    ['gate.lan', ['gate.lan=U@gate.lan:22']],
    ['[::1]:2200', ['[::1]:2200=U@::1:2200']],
  ])('jump = %s', (text, expected) => {
    const found = hops(load(`[host.in]\njump = ${text}`), 'in');
    expect(found.map((hop) => hop.replace(/=[^@]*@/, '=U@'))).toEqual(expected);
  });
});

it.each([
  ['jump = bastoin\n[host.bastion]', 'there is no section [host.bastoin]; did you mean'],
  ['jump = gate', 'there is no section [host.gate]; a host without a section is written NAME:22'],
  ['jump = in', 'the way leads in a circle: in, then over in'],
  ['jump = a\n[host.a]\njump = in', 'the way leads in a circle: in, then over a, then over in'],
  ['jump = a, a\n[host.a]', 'the way leads in a circle'],
  ['jump = here\n[host.here]\ntype = local', 'here is a host of type local'],
  ['jump = a b', '"a b" is not the NAME of a [host.NAME] or [user@]hostname[:port]'],
])('refuses %j with the line', (text, words) => {
  expect(complaints(`[host.in]\n${text}`)[0]).toContain(`a.ini:2: [host.in] jump: ${words}`);
});

it.each([
  ['me@host', { user: 'me', host: 'host' }],
  ['[fe80::1]:22', { host: 'fe80::1', port: 22 }],
  ['host:0', undefined],
  ['host:65536', undefined],
  ['-oProxyCommand=x', undefined],
  ['a@b@c', { user: 'a@b', host: 'c' }],
  ['$(id)', undefined],
  ['host/', undefined],
])('parses the hop %s', (text, expected) => {
  expect(parseHop(text)).toEqual(expected && { user: undefined, port: undefined, ...expected });
});

it('a change of a jump host makes the hosts behind it others', () => {
  const policy = (port: number) =>
    engineSettings(load(`[host.in]\njump = g\n[host.g]\nport = ${port}`), console as never).hosts[0]
      ?.policy.configured;
  expect(policy(22)).not.toBe(policy(23));
  expect(policy(22)).toBe(policy(22));
});

it('links counts all connections', () => {
  const links = (line: string): number => {
    const config = load(`[host.vm]\n${line}`);
    return sshSettings(config.hosts['vm'] as never, config).transferLinks;
  };
  expect([links(''), links('links = 1'), links('links = 17')]).toEqual([2, 0, 16]);
  expect(complaints('[host.vm]\nlinks = 0')[0]).toContain('1 to 17');
});
