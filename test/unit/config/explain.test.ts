/**
 * Goal: whoever mistypes reads what to mend, all of it at once. Method: mistakes and the lines told.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { nearest } from '../../../src/domain/suggest.ts';
import { complaints, HOME, load, refusal, temporaryDirectory, writeText } from './support.ts';

describe('sections', () => {
  it.each([
    ['[deamon]', '[deamon]: there is no section "deamon"; did you mean [daemon]?'],
    ['[Defaults]', '[Defaults]: there is no section "Defaults"; did you mean [defaults]?'],
    ['[hosts.vm]', '[hosts.vm]: there is no section "hosts.vm"; did you mean [host.vm]?'],
    ['[host]', '[host]: there is no section "host"; did you mean [host.NAME]?'],
    ['[host "vm"]', '[host "vm"]: there is no section "host \\"vm\\""; did you mean [host.vm]?'],
    ['[cluster]', '[cluster]: there is no section "cluster"; a host is written [host.cluster]'],
    [
      '[__proto__]',
      '[__proto__]: there is no section "__proto__"; there are [daemon], [defaults], [host.NAME], [partition.HOST.NAME], [sbatch.HOST.NAME], [s3], [ssh] and [tes]',
    ],
  ])('%s is unknown and the nearest known one is named', (text, line) => {
    expect(complaints(text)).toEqual([`a.ini:1: ${line}`]);
    expect(refusal(() => load(text)).code).toBe('CONFIG_SECTION_UNKNOWN');
  });

  it('a dotted host name is refused with the two lines to write instead', () => {
    expect(complaints('[host.my.cluster]\nuser = alice')).toEqual([
      'a.ini:1: [host.my.cluster]: a host is named by letters, digits, - and _ only (at most 63): write [host.my-cluster] with the line: hostname = my.cluster',
    ]);
    expect(load('[host.my-cluster]\nhostname = my.cluster').hosts['my-cluster']?.hostnames).toEqual(
      ['my.cluster'],
    );
  });

  it('the name proposed for a bad host name is a good one', () => {
    expect(complaints('[host.-x y.]')[0]).toContain('write [host.x-y]');
    expect(complaints('[host.]')[0]).toContain('write [host.NAME]');
    expect(complaints(`[host.${'x'.repeat(64)}]`)[0]).toContain(`write [host.${'x'.repeat(63)}]`);
  });

  it('keys in a refused section are not complained about a second time', () => {
    expect(complaints('[deamon]\nnothing = 1\nbare\n[daemon]\nlog_level = info')).toHaveLength(1);
  });
});

describe('keys', () => {
  it.each([
    ['[host.vm]\nprot = 22', '[host.vm] prot: there is no such key; did you mean "port"?'],
    [
      '[daemon]\nlog-level = info',
      '[daemon] log-level: there is no such key; did you mean "log_level"?',
    ],
    ['[daemon]\nport = 22', '[daemon] port: there is no such key; it belongs to [host.NAME]'],
    ['[host.vm]\nquux = 22', '[host.vm] quux: there is no such key'],
    [
      '[host.vm]\npassword = hunter2',
      '[host.vm] password: there is no such key; secrets never go into this file',
    ],
  ])('%j is unknown', (text, line) => {
    expect(complaints(text)).toEqual([`a.ini:2: ${line}`]);
    expect(refusal(() => load(text)).code).toBe('CONFIG_KEY_UNKNOWN');
  });

  it('a nearest word needs to be near', () => {
    const names = ['port', 'user', 'known_hosts', 'root'];
    expect(nearest('prot', names)).toBe('port');
    expect(nearest('known_host', names)).toBe('known_hosts');
    expect(nearest('KNOWN-HOSTS', names)).toBe('known_hosts');
    expect(nearest('x', names)).toBeUndefined();
    expect(nearest('partition', names)).toBeUndefined();
  });
});

describe('the error', () => {
  const wrong = '[host.vm]\nprot = 22\nport = 0\nroot = ~\n[deamon]\n[defaults]\ntime = 30\n';

  it('lists all problems in the order of the lines, with code and context of the first', () => {
    const error = refusal(() => load(wrong));
    expect(complaints(wrong).map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'a.ini:2: [host.vm] prot',
      'a.ini:3: [host.vm] port',
      'a.ini:4: [host.vm] root',
      'a.ini:5: [deamon]',
      'a.ini:7: [defaults] time',
    ]);
    expect(error.code).toBe('CONFIG_KEY_UNKNOWN');
    expect(error.context).toMatchObject({ line: 2, section: 'host.vm', key: 'prot', problems: 5 });
    expect(error.hint).toContain('towline config check');
  });

  it('lists the files in the order they are read', () => {
    expect(
      complaints(['[daemon]\n\nx = 1', '[daemon]\ny = 1']).map((line) => line.slice(0, 7)),
    ).toEqual(['a.ini:3', 'b.ini:2']);
  });

  it('ends a long list with the number of the rest', () => {
    const lines = complaints(Array.from({ length: 60 }, (_, index) => `word${index}`).join('\n'));
    expect(lines).toHaveLength(41);
    expect(lines.at(-1)).toBe('and 20 more');
  });

  it('shows hostile text escaped and cut', () => {
    for (const text of [
      `[host.vm]\nuser = "${'\u202e!'.repeat(200)}"`,
      `[${'\u202e!'.repeat(200)}]`,
    ]) {
      const [line = ''] = complaints(text);
      expect(line.length).toBeLessThan(1000);
      expect(line).toContain('\\u{202e}!');
      expect(line).not.toContain('\u202e');
    }
    const [escaped = ''] = complaints('[host.vm]\nuser = a "\tb');
    expect(escaped).toContain('"a \\"\\tb" is not a user name');
  });
});

describe('files that cannot be read', () => {
  it('a file that was named has to be there', () => {
    const file = join(temporaryDirectory(), 'none.ini');
    const named = refusal(() => loadConfig({ files: [file], env: {}, home: HOME }));
    expect(named).toMatchObject({
      code: 'CONFIG_FILE_UNREADABLE',
      message: `${file}: cannot be read: there is no such file`,
    });
    expect(refusal(() => loadConfig({ env: { TOWLINE_CONFIG: file }, home: HOME })).code).toBe(
      'CONFIG_FILE_UNREADABLE',
    );
  });

  it('the usual files may be missing, but not be something else', () => {
    const home = temporaryDirectory();
    expect(loadConfig({ env: {}, home }).files).not.toContain(
      join(home, '.config/towline/towline.ini'),
    );
    writeText(join(home, '.config/towline/towline.ini/a-directory'), '');
    expect(refusal(() => loadConfig({ env: {}, home })).message).toContain(
      'towline.ini: cannot be read: it is a directory',
    );
  });

  it('a file of another kind is refused by its length', () => {
    expect(complaints('#'.repeat(1_048_577))[0]).toContain('is 1048577 bytes long');
  });
});
