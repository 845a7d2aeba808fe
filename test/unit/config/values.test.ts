/** Goal: each kind of value takes what its documentation says and refuses the rest. Method: tables. */
import { describe, expect, it } from 'vitest';
import {
  parseLocalPath,
  parseOwnedRemotePath,
  parseRemotePath,
} from '../../../src/config/paths.ts';
import { splitWords } from '../../../src/config/words.ts';
import type { Parsed } from '../../../src/domain/shown.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/domain/units.ts';
import { complaints, load } from './support.ts';

function valueOf<T>(parsed: Parsed<T>): T | 'refused' {
  return 'value' in parsed ? parsed.value : 'refused';
}

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['512 MiB', 536_870_912],
    ['512MiB', 536_870_912],
    ['1G', 1_073_741_824],
    ['1g', 1_073_741_824],
    ['1.5K', 1536],
    ['100 MB', 100_000_000],
    ['1 kB', 1000],
    ['7 B', 7],
    ['0.1K', 102],
    ['', 'refused'],
    ['G', 'refused'],
    ['1 giga', 'refused'],
    ['-1', 'refused'],
    ['1e3', 'refused'],
    ['0x10', 'refused'],
    ['1 G iB', 'refused'],
    ['99999999T', 'refused'],
    ['.5G', 'refused'],
  ])('%j is %j', (text, bytes) => expect(valueOf(parseSize(text))).toBe(bytes));

  it.each([
    [0, '0'],
    [1536, '1536'],
    [2048, '2 KiB'],
    [1_073_741_824, '1 GiB'],
    [1_000_000, '1000000'],
  ])('%d is written %j', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('durations', () => {
  it.each([
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['7d', 604_800_000],
    ['500ms', 500],
    ['0s', 0],
    ['1.5h', 5_400_000],
    ['01:30:00', 5_400_000],
    ['1m500ms', 60_500],
    ['', 'refused'],
    ['30', 'refused'],
    ['30m1h', 'refused'],
    ['1m1m', 'refused'],
    ['1 h', 'refused'],
    ['-1s', 'refused'],
    ['1:60:00', 'refused'],
    ['9999999999999d', 'refused'],
    ['forever', 'refused'],
  ])('%j is %j', (text, ms) => expect(valueOf(parseDuration(text))).toBe(ms));

  it.each([
    [0, '0s'],
    [5_400_000, '1h30m'],
    [86_400_001, '1d1ms'],
    [60_000, '1m'],
  ])('%d is written %j', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('a number without a unit is refused with the nearest text', () => {
    expect(complaints('[defaults]\nstop_grace = 30')[0]).toContain('write for example 30s');
  });

  it('only a time limit can be none', () => {
    expect(load('[defaults]\ntime = none').defaults.timeLimitMs).toBeUndefined();
    expect(complaints('[defaults]\nstop_grace = none')).toHaveLength(1);
  });
});

describe('local paths', () => {
  it.each([
    ['~/x', '/home/a/x'],
    ['~', '/home/a'],
    ['$HOME/x', '/home/a/x'],
    ['${HOME}/x', '/home/a/x'],
    ['/x/../y/', '/y'],
    ['/', '/'],
    ['/a b', '/a b'],
    ['x', 'refused'],
    ['./x', 'refused'],
    ['~bob/x', 'refused'],
    ['$HOMES/x', 'refused'],
    ['/data/$USER', 'refused'],
    ['$XDG_STATE_HOME/x', 'refused'],
  ])('%j is %j', (text, path) => expect(valueOf(parseLocalPath(text, '/home/a'))).toBe(path));

  it('a home with signs that mean something in a replacement is taken as it is', () => {
    expect(valueOf(parseLocalPath('~/x', "/home/$&$'"))).toBe("/home/$&$'/x");
  });
});

describe('paths on a host', () => {
  it.each([
    ['~/.towline', '~/.towline'],
    ['$SCRATCH/towline/', '$SCRATCH/towline'],
    ['${HOME}/t', '${HOME}/t'],
    ['/scratch/$USER/t', '/scratch/$USER/t'],
    ['$WORK/x', 'refused'],
    ['relative/x', 'refused'],
    ['$USER/x', 'refused'],
    ['~bob/x', 'refused'],
    ['/a/../b', 'refused'],
    ['/a/`id`', 'refused'],
    ['/a/$(id)', 'refused'],
    ['/a/$', 'refused'],
  ])('%j is %j', (text, path) => expect(valueOf(parseRemotePath(text))).toBe(path));

  it.each(['/', '~', '$HOME', '~/.', '$SCRATCH/', '${HOME}//'])(
    '%j is nobody’s own directory',
    (text) => {
      expect(valueOf(parseOwnedRemotePath(text))).toBe('refused');
    },
  );
});

describe('arguments', () => {
  it.each([
    ['--nv', ['--nv']],
    ['  a\tb ', ['a', 'b']],
    [`--env 'A=b c'`, ['--env', 'A=b c']],
    [`a"b c"'d e'f`, ['ab cd ef']],
    [`"\\"\\\\\\n"`, ['"\\\\n']],
    ['a\\ b', ['a b']],
    [`'' x`, ['', 'x']],
    ['$HOME *', ['$HOME', '*']],
    ['', []],
    [`'open`, 'refused'],
    ['"open', 'refused'],
    ['end\\', 'refused'],
  ])('%j is %j', (text, words) => expect(valueOf(splitWords(text))).toEqual(words));
});

describe('the other kinds', () => {
  it.each([
    [
      'host.vm',
      'hostname',
      [
        [
          ...['192.0.2.1', 'login.hpc.example.org', '2001:db8::1', 'fe80::1%eth0', 'a_b', '[::1]'],
          ...['vm:22', '192.0.2.1:2222', 'abcd:22', '[2001:db8::1]:22', 'login1, login2:2222'],
        ],
        [
          ...['-x', 'a b', 'bob@vm', 'a;b', 'a/b', 'vm:0', 'vm:', 'vm, ', 'g:h:i', 'vm, $(id)'],
          ...['login1, login2, login1', Array.from({ length: 17 }, (_, n) => `n${n}`).join(',')],
        ],
      ],
    ],
    [
      'host.vm',
      'user',
      [
        ['alice', 'DOM\\bob', 'a.b@realm'],
        ['-l', 'a b', '$(id)', 'a:b'],
      ],
    ],
    [
      'host.vm',
      'port',
      [
        ['1', '65535'],
        ['0', '65536', '22.5', '+22', '0x16', '1e2'],
      ],
    ],
    [
      'host.vm',
      'cpus',
      [
        ['16', '1.5'],
        ['0', '-1', 'NaN', '1e9', 'all'],
      ],
    ],
    [
      'host.vm',
      'enabled',
      [
        ['true', 'false'],
        ['yes', '1', 'TRUE'],
      ],
    ],
    ['host.vm', 'type', [['ssh'], ['SSH', 'slurm']]],
    [
      'host.vm',
      'runtime',
      [
        ['singularity', '/opt/a/bin/apptainer'],
        ['-x', 'bin/apptainer', 'apptainer exec', '$X'],
      ],
    ],
    [
      'host.vm',
      'insecure_registries',
      [
        ['registry:5000', 'a.example.org, b:80'],
        ['http://x', 'a,,b', 'x/y'],
      ],
    ],
    [
      'defaults',
      'image',
      [
        [
          'debian:12',
          'docker://a/b:c@sha256:00',
          'registry:5000/mini:1',
          'oras://x/y',
          '/images/a.sif',
          'file:///a.sif',
          'a, b',
        ],
        ['http://x/y', 'docker://', 'a b', 'a,'],
      ],
    ],
    [
      'defaults',
      'accept_exit',
      [
        ['0', '0, 42'],
        ['256', '-1', 'x', '1,'],
      ],
    ],
    ['defaults', 'cleanup', [['always', 'on-success', 'never'], ['sometimes']]],
    [
      'defaults',
      'shell',
      [
        ['bash', '/bin/sh'],
        ['bash -e', '$SHELL'],
      ],
    ],
  ])('[%s] %s', (section, key, [good = [], bad = []]) => {
    const taken = (value: string): boolean => {
      try {
        load(`[${section}]\n${key} = '${value}'`);
        return true;
      } catch {
        return false;
      }
    };
    expect(good.filter((value) => !taken(value))).toEqual([]);
    expect(bad.filter(taken)).toEqual([]);
  });
});
