/** Goal: `config show` tells every key, as it would be written, and its source. Method: rows of small files. */
import { describe, expect, it } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { HOST_KEYS } from '../../../src/config/host-keys.ts';
import { DAEMON_KEYS, DEFAULTS_KEYS } from '../../../src/config/keys.ts';
import { S3_KEYS } from '../../../src/config/s3-keys.ts';
import { TES_KEYS } from '../../../src/config/tes-keys.ts';
import { load } from './support.ts';

function rowsOf(text: string, env: Record<string, string> = {}): Map<string, string> {
  const rows = describeConfig(load(text, { env }));
  return new Map(
    rows.map(({ section, key, value, source }) => [
      `${section}.${key}`,
      `${value} (${source.replace(/.*\//, '')})`,
    ]),
  );
}

describe('describeConfig', () => {
  it('has every key of every section, in the order of the table', () => {
    const keys = describeConfig(load('[host.vm]\nscheduler = slurm')).map(
      ({ section, key }) => `${section}.${key}`,
    );
    expect(keys).toEqual([
      ...Object.keys(DAEMON_KEYS).map((key) => `daemon.${key}`),
      ...Object.keys(DEFAULTS_KEYS).map((key) => `defaults.${key}`),
      ...Object.keys(TES_KEYS).map((key) => `tes.${key}`),
      ...Object.keys(S3_KEYS).map((key) => `s3.${key}`),
      ...Object.keys(HOST_KEYS).map((key) => `host.vm.${key}`),
    ]);
  });

  it('writes values as a file would have them and names where each comes from', () => {
    const rows = rowsOf(
      "[host.vm]\nsetup = 'a; b'\nruntime_args = --env 'A=b c'\nmemory = 1024 MiB\ncpus = 1.5\n[defaults]\ntime = 90m\naccept_exit = 0,42",
      { XDG_RUNTIME_DIR: '/run/user/7' },
    );
    expect(Object.fromEntries(rows)).toMatchObject({
      'host.vm.setup': '"a; b" (a.ini:2)',
      'host.vm.runtime_args': "--env 'A=b c' (a.ini:3)",
      'host.vm.memory': '1 GiB (a.ini:4)',
      'host.vm.cpus': '1.5 (a.ini:5)',
      'host.vm.image_cache_dir': 'null (default)',
      'defaults.time': '1h30m (a.ini:7)',
      'defaults.accept_exit': '0, 42 (a.ini:8)',
      'daemon.socket': '/run/user/7/towline/towline.sock ($XDG_RUNTIME_DIR)',
    });
  });

  it('leaves out what has no meaning for a local host', () => {
    const rows = rowsOf('[host.here]\ntype = local');
    expect(rows.has('host.here.user')).toBe(false);
    expect(rows.get('host.here.root')).toBe('~/.towline (default)');
  });

  it('can be printed as JSON', () => {
    const rows = describeConfig(load('[host.vm]'));
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
  });
});
