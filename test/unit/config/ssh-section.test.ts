/** Goal: a dagon.ini [ssh] section works as it is written there. Method: such sections, good and bad. */
import { describe, expect, it } from 'vitest';
import { complaints, load } from './support.ts';

describe('[ssh]', () => {
  it('makes one host named ssh, with comments after values and after the header', () => {
    const text =
      '[ssh]   # where the demo runs\nremote_ip = 192.0.2.5   # the VM\nssh_user = bob ; me\nssh_port = 2222\t# not 22\n';
    const config = load(text);
    expect(Object.keys(config.hosts)).toEqual(['ssh']);
    expect(config.hosts['ssh']).toMatchObject({
      name: 'ssh',
      type: 'ssh',
      hostnames: ['192.0.2.5'],
      user: 'bob',
      port: 2222,
    });
    expect(config.sources['host.ssh.hostname']).toMatch(/a\.ini:2$/);
  });

  it('tolerates comments, not a # inside a word', () => {
    expect(complaints('[ssh]\nremote_ip = vm#1')[0]).toContain(
      'a.ini:2: [ssh] remote_ip: would lose everything from "#" on',
    );
    expect(complaints('[ssh]\nremote_ip = # none')[0]).toContain('is empty');
  });

  it('can be completed by [host.ssh], in the same or a later file', () => {
    const config = load([
      '[ssh]\nremote_ip = 192.0.2.5\nssh_port = 22\n[host.ssh]\nroot = /data/towline',
      '[host.ssh]\nport = 23',
    ]);
    expect(config.hosts['ssh']).toMatchObject({
      hostnames: ['192.0.2.5'],
      root: '/data/towline',
      port: 23,
    });
  });

  it('does not say in the same file what [host.ssh] says too', () => {
    expect(complaints('[ssh]\nremote_ip = vm\nssh_port = 1\n[host.ssh]\nport = 2')).toEqual([
      'a.ini:5: [host.ssh] port: was set on line 3 already, by [ssh] or [host.ssh]',
    ]);
  });

  it('needs an address', () => {
    expect(complaints('\n[ssh]\nssh_user = bob')).toEqual(['a.ini:2: [ssh] remote_ip: is missing']);
  });

  it('takes only its three keys', () => {
    expect(complaints('[ssh]\nremote_ip = vm\nremote_ipp = vm\nroot = /x')).toEqual([
      'a.ini:3: [ssh] remote_ipp: there is no such key; did you mean "remote_ip"?',
      'a.ini:4: [ssh] root: there is no such key; it belongs to [host.NAME]',
    ]);
  });
});
