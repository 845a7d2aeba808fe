/**
 * Goal: a Config is complete, frozen, and knows where every value came from. Method: small files and
 * the whole result.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { complaints, HOME, load, refusal, temporaryDirectory, writeText } from './support.ts';

describe('defaults', () => {
  it('an empty file gives every default', () => {
    const config = load('');
    expect(config.daemon).toEqual({
      stateDir: `${HOME}/.local/state/towline`,
      socket: `${HOME}/.local/state/towline/towline.sock`,
      logLevel: 'info',
      queueLimit: 100_000,
      minFreeBytes: 64 << 20,
      keepEventsMs: 30 * 86_400_000,
      eventsMax: 1_000_000,
      hookMs: 60_000,
      hooks: 4,
    });
    expect(config.defaults).toEqual({
      host: undefined,
      images: ['docker://ubuntu:24.04'],
      shell: undefined,
      cleanup: 'on-success',
      retries: 0,
      acceptExit: [0],
      outputLimitBytes: 1_073_741_824,
      pullWhen: 'missing',
      overlayBytes: 0,
      timeLimitMs: undefined,
      keepFailedMs: 604_800_000,
      keepTasksMs: 30 * 86_400_000,
      collectLimitBytes: 100 * 2 ** 30,
      stopGraceMs: 10_000,
      sshConfigFiles: [`${HOME}/.ssh/config`, '/etc/ssh/ssh_config'],
    });
  });

  it('without a section of a host this machine is one', () => {
    const { hosts, sources } = load('');
    expect(Object.keys(hosts)).toEqual(['local']);
    expect(hosts['local']).toMatchObject({ name: 'local', type: 'local' });
    expect(sources['host.local.type']).toBe('default');
    expect(Object.keys(load('[host.vm]').hosts)).toEqual(['vm']);
  });

  it('a section alone makes a host with every default', () => {
    expect(load('[host.vm]').hosts['vm']).toEqual({
      name: 'vm',
      type: 'ssh',
      scheduler: 'none',
      enabled: true,
      hostnames: ['vm'],
      user: expect.stringMatching(/./),
      port: 22,
      identityFiles: [],
      knownHostsFiles: [`${HOME}/.ssh/known_hosts`, '/etc/ssh/ssh_known_hosts'],
      connectTimeoutMs: 10_000,
      links: 3,
      loginBurst: 6,
      loginRefillMs: 10_000,
      identityAgent: undefined,
      passphraseFile: undefined,
      jump: [],
      hostKeyAlias: undefined,
      sshConfigFiles: [`${HOME}/.ssh/config`, '/etc/ssh/ssh_config'],
      pollsPerSecond: 20,
      root: '~/.towline',
      maxTasks: 8,
      cpus: undefined,
      memoryBytes: undefined,
      gpus: undefined,
      tags: [],
      setup: undefined,
      runtime: 'apptainer',
      runtimeArgs: [],
      imageCacheDir: undefined,
      imageSource: 'pull',
      imageFrom: undefined,
      insecureRegistries: [],
      maxPulls: 2,
      pullAttempts: 5,
      pullBackoffMs: 2_000,
      pullBackoffCapMs: 60_000,
      pullMemoryCapMs: 600_000,
      pullAskEveryMs: 300_000,
      pullMemoryMs: 10_000,
      pullPriority: 'normal',
      pullMinFreeBytes: 4 * 1024 ** 2,
      registryAuthFile: undefined,
      pullTimeoutMs: 3_600_000,
      sbatchArgs: [],
      jobPrefix: 'towline',
      array: 'auto',
      pilotTasks: 0,
      pilotWalltimeMs: 3_600_000,
      submitConcurrency: 4,
      slurmTimeoutMs: 60_000,
      queuePollMinMs: 2_000,
      queuePollMaxMs: 30_000,
    });
  });

  it('the default keys are those that exist, in their order', () => {
    const home = temporaryDirectory();
    writeText(join(home, '.ssh/id_rsa'), '');
    writeText(join(home, '.ssh/id_ed25519'), '');
    expect(load('[host.vm]', { home }).hosts['vm']?.identityFiles).toEqual([
      join(home, '.ssh/id_ed25519'),
      join(home, '.ssh/id_rsa'),
    ]);
  });
});

describe('the environment', () => {
  it('systemd names state and socket directories; of several the first counts', () => {
    const env = {
      STATE_DIRECTORY: '/var/lib/towline/alice:/x',
      RUNTIME_DIRECTORY: '/run/towline/alice',
      XDG_RUNTIME_DIR: '/run/user/1',
    };
    const { daemon, sources } = load('', { env });
    expect(daemon).toMatchObject({
      stateDir: '/var/lib/towline/alice',
      socket: '/run/towline/alice/towline.sock',
    });
    expect(sources).toMatchObject({
      'daemon.state_dir': '$STATE_DIRECTORY',
      'daemon.socket': '$RUNTIME_DIRECTORY',
    });
  });

  it('a session directory gives the socket a directory of its own', () => {
    const { daemon, sources } = load('', { env: { XDG_RUNTIME_DIR: '/run/user/1' } });
    expect(daemon.socket).toBe('/run/user/1/towline/towline.sock');
    expect(sources['daemon.socket']).toBe('$XDG_RUNTIME_DIR');
  });

  it('what a file sets wins over the environment; what is not a path is not used', () => {
    const env = {
      STATE_DIRECTORY: '/var/lib/x',
      RUNTIME_DIRECTORY: '',
      XDG_RUNTIME_DIR: 'relative',
    };
    expect(load('[daemon]\nstate_dir = ~/s', { env }).daemon).toMatchObject({
      stateDir: `${HOME}/s`,
      socket: `${HOME}/s/towline.sock`,
    });
  });

  it('a home that is not absolute is refused before it ends up in a path', () => {
    expect(refusal(() => load('', { home: 'relative' }))).toMatchObject({
      code: 'CONFIG_VALUE_INVALID',
    });
  });
});

describe('several files', () => {
  it('the later wins key by key, and each key knows its line', () => {
    const config = load([
      '[host.vm]\nuser = alice\nport = 2222\n[host.a]',
      '[daemon]\n[host.vm]\nport = 22',
    ]);
    expect(config.hosts['vm']).toMatchObject({ user: 'alice', port: 22 });
    expect(Object.keys(config.hosts)).toEqual(['vm', 'a']);
    expect(config.sources['host.vm.user']).toMatch(/a\.ini:2$/);
    expect(config.sources['host.vm.port']).toMatch(/b\.ini:3$/);
    expect(config.sources['host.vm.root']).toBe('default');
  });

  it('a value that a later file replaces has to be right all the same', () => {
    expect(complaints(['[host.vm]\nport = x', '[host.vm]\nport = 22'])).toHaveLength(1);
  });

  it("the user's own file is read from the home directory", () => {
    const home = temporaryDirectory();
    const file = writeText(join(home, '.config/towline/towline.ini'), '[host.mine]');
    const config = loadConfig({ env: {}, home });
    expect(config.files).toContain(file);
    expect(config.hosts['mine']?.name).toBe('mine');
  });

  it('$TOWLINE_CONFIG is read instead, and files that are given win over it', () => {
    const home = temporaryDirectory();
    writeText(join(home, '.config/towline/towline.ini'), '[host.mine]');
    const other = writeText(join(home, 'other.ini'), '[host.other]');
    const third = writeText(join(home, 'third.ini'), '[host.third]');
    const env = { TOWLINE_CONFIG: other };
    expect(Object.keys(loadConfig({ env, home }).hosts)).toEqual(['other']);
    expect(Object.keys(loadConfig({ env, home, files: [third] }).hosts)).toEqual(['third']);
  });
});

describe('values that do not agree', () => {
  it.each([
    [
      '[host.l]\ntype = local\nuser = x',
      'a.ini:3: [host.l] user: has no meaning for a host of type local; remove the line',
    ],
    [
      '[host.vm]\npull_backoff = 2m',
      'a.ini:2: [host.vm] pull_backoff: pull_backoff is longer than pull_backoff_cap',
    ],
    [
      '[defaults]\nhost = vmm\n[host.vms]',
      'a.ini:2: [defaults] host: there is no section [host.vmm]; did you mean "vms"?',
    ],
    [
      '[host.vm]\nimage_from = bastoin\n[host.bastion]',
      'a.ini:2: [host.vm] image_from: there is no section [host.bastoin]; did you mean "bastion"?',
    ],
    ['[host.vm]\nimage_from = vm', 'a.ini:2: [host.vm] image_from: is the host itself'],
    [`[daemon]\nsocket = /${'x'.repeat(107)}`, 'a.ini:2: [daemon] socket: '],
    [`[daemon]\nstate_dir = /${'x'.repeat(100)}`, '[daemon] socket: '],
  ])('%j', (text, start) => {
    const lines = complaints(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, start.length)).toBe(start);
    expect(refusal(() => load(text)).code).toBe('CONFIG_VALUE_INVALID');
  });

  it('a socket may have 107 bytes, not letters', () => {
    expect(load(`[daemon]\nsocket = /${'x'.repeat(106)}`).daemon.socket).toHaveLength(107);
    expect(complaints(`[daemon]\nsocket = /${'ü'.repeat(54)}`)[0]).toContain('is 109 bytes long');
  });
});

it('nothing in a Config can be changed', () => {
  const config = load('[host.vm]\nruntime_args = --nv');
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    for (const part of Object.values(value)) walk(part);
  };
  walk(config);
  expect(() => (config.defaults.images as string[]).push('x')).toThrow(TypeError);
});
