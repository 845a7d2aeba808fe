/**
 * Goal: the units keep what the daemon relies on. Method: their directives, read as systemd does (the
 * last of a key counts, an empty one resets), and systemd-analyze's own judgement where it is installed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from './support.ts';

const CONFIG = join(import.meta.dirname, '../../../config');
const UNITS = ['towline.service', 'towline@.service'];
const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;

function directives(...files: string[]): Map<string, string> {
  const lines = files.flatMap((file) => readFileSync(join(CONFIG, file), 'utf8').split('\n'));
  const pairs = lines.flatMap((line) => {
    const match = /^([A-Za-z]+)=(.*)$/.exec(line);
    return match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const];
  });
  return new Map(pairs);
}

describe.each(UNITS)('%s', (unit) => {
  const set = directives(unit);

  it('is ready when the daemon says so, reloads on SIGHUP, and ends only the daemon', () => {
    expect(Object.fromEntries(set)).toMatchObject({
      Type: 'notify',
      NotifyAccess: 'all',
      ExecReload: '/bin/kill -HUP $MAINPID',
      KillMode: 'process',
      OOMPolicy: 'continue',
      RuntimeDirectoryMode: '0700',
      UMask: '0077',
      Restart: 'on-failure',
    });
    expect(set.get('RestartPreventExitStatus')?.split(' ')).toEqual(
      expect.arrayContaining(['12', '13']),
    );
  });

  it('keeps homes, keys and /tmp in reach, and the JavaScript engine alive', () => {
    const closing = [
      'ProtectHome',
      'PrivateTmp',
      'MemoryDenyWriteExecute',
      'InaccessiblePaths',
      'DynamicUser',
    ];
    expect(closing.filter((key) => set.has(key))).toEqual([]);
    expect(set.get('ProtectSystem')).not.toBe('strict');
  });
});

it('the socket of the system unit is where socketCandidates looks', () => {
  expect(directives('towline@.service').get('RuntimeDirectory')).toBe('towline/%i');
});

it('the drop-in for a local host opens all that a container runtime needs', () => {
  const merged = directives('towline@.service', 'towline@.service.d/local-host.conf');
  const closed = [
    'RestrictNamespaces',
    'PrivateDevices',
    'ProtectKernelTunables',
    'ProtectKernelLogs',
    'RestrictSUIDSGID',
    'ProtectClock',
  ];
  expect(closed.filter((key) => merged.get(key) !== 'no')).toEqual([]);
  expect(merged.get('ProtectProc')).toBe('default');
  const filters = ['SystemCallFilter', 'RestrictAddressFamilies', 'SystemCallArchitectures'];
  expect(filters.map((key) => merged.get(key))).toEqual(['', '', '']);
});

describe.skipIf(!HAS_SYSTEMD)('systemd-analyze', () => {
  it('finds nothing wrong with the units, and the drop-in is read', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'run'));
    cpSync(CONFIG, directory, { recursive: true });
    const env = { ...process.env, XDG_RUNTIME_DIR: join(directory, 'run') };
    for (const args of [['--user', './towline.service'], ['./towline@.service']]) {
      const result = spawnSync('systemd-analyze', ['verify', '--man=no', ...args], {
        cwd: directory,
        env,
        encoding: 'utf8',
      });
      expect([args, result.status, result.stderr]).toEqual([args, 0, '']);
    }
  });

  it.each([
    ['towline@.service', []],
    ['towline.service', ['--user']],
  ])('puts the exposure at 2.0 or less: %s', (unit, manager) => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'run'));
    // Drop-ins beside a unit count: of these only the one that closes the user unit for ssh hosts.
    for (const name of [unit, 'towline.service.d'])
      cpSync(join(CONFIG, name), join(directory, name), { recursive: true });
    const result = spawnSync(
      'systemd-analyze',
      ['security', ...manager, '--offline=true', '--threshold=20', '--no-pager', `./${unit}`],
      {
        cwd: directory,
        encoding: 'utf8',
        env: { ...process.env, XDG_RUNTIME_DIR: join(directory, 'run') },
      },
    );
    expect(result.stdout).toContain('Overall exposure level');
    expect([result.status, result.stderr]).toEqual([0, '']);
  });
});
