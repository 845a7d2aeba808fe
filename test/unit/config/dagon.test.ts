/**
 * Goal: a dagon.ini is configuration for one host: what can be used is, the rest is noted, nothing of it is
 * an error; other files stay as strict as they were. Method: a file with every section and key that the
 * samples of DagOnStar have (golden/config/dagon.ini) against a golden text of what becomes of it; single lines.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainNote } from '../../../src/config/explain.ts';
import { complaints, load } from './support.ts';

const GOLDEN = join(import.meta.dirname, '../../golden/config');
const SAMPLE = readFileSync(join(GOLDEN, 'dagon.ini'), 'utf8');

const notesOf = (text: string): string[] =>
  load(text).notes.map((note) => explainNote(note).replace(/^\S*\/(?=[a-z]\.ini)/, ''));

describe('a whole dagon.ini', () => {
  it('makes one host with what it says', () => {
    const config = load(SAMPLE);
    expect(Object.keys(config.hosts)).toEqual(['ssh']);
    expect(config.hosts['ssh']).toMatchObject({
      ...{ type: 'ssh', hostnames: ['192.0.2.100'], user: 'alice', port: 2222 },
      ...{ root: '/scratch/towline-$USER', links: 5 },
    });
    expect(config.defaults.cleanup).toBe('always');
    expect(config.daemon.logLevel).toBe('warn');
    expect(config.sources['host.ssh.root']).toMatch(/a\.ini:13$/);
  });

  it('notes what is not used and how the rest is read, and never a value that may be a secret', async () => {
    const notes = notesOf(SAMPLE);
    await expect(`${notes.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, 'dagon-notes.txt'));
    expect(notes.join('\n')).not.toContain('SECRET');
  });

  it('without [ssh] its tasks run on this machine', () => {
    const config = load(SAMPLE.slice(0, SAMPLE.indexOf('[ssh]')));
    expect(Object.keys(config.hosts)).toEqual(['local']);
    expect(config.hosts['local']).toMatchObject({ type: 'local', root: '/scratch/towline-$USER' });
  });
});

describe('single lines of a dagon.ini', () => {
  const batch = (line: string): string => `[ssh]\nremote_ip = vm\n[batch]\n${line}\n`;

  it('a value that is used must be one that can be', () => {
    expect(load(batch('scratch_dir_base = /')).hosts['ssh']?.root).toBe('/towline-$USER');
    expect(complaints(batch('remove_dir = perhaps'))).toEqual([
      'a.ini:4: [batch] remove_dir: "perhaps" is neither True nor False',
    ]);
    expect(complaints(batch('threads = many'))[0]).toContain('a.ini:4: [batch] threads: "many"');
    expect(complaints(batch('scratch_dir_base = tmp'))[0]).toContain('[batch] scratch_dir_base');
  });

  it('what [host.ssh] says counts more', () => {
    const text = `${batch('scratch_dir_base = /scratch')}[host.ssh]\nroot = /data/towline\n`;
    expect(load(text).hosts['ssh']?.root).toBe('/data/towline');
    expect(notesOf(text)).toEqual([
      'a.ini:4: [batch] scratch_dir_base is not used: [host.ssh] root says it too',
    ]);
  });

  it('the partition of [slurm] is that of a host with scheduler = slurm, and of no other', () => {
    const text = `${batch('threads = 2')}[slurm]\npartition = long\n`;
    expect(load(text).hosts['ssh']?.partition).toBeUndefined();
    expect(notesOf(text)).toContain(
      'a.ini:6: [slurm] partition is not used: [host.ssh] has no scheduler = slurm',
    );
    const cluster = `${text}[host.ssh]\nscheduler = slurm\n`;
    expect(load(cluster).hosts['ssh']?.partition).toBe('long');
    expect(notesOf(cluster)).toContain(
      'a.ini:6: [slurm] partition is read as [host.ssh] partition = long',
    );
  });

  it('empty values set nothing, keys that nobody knows are noted', () => {
    const text = batch('threads =\nmode = fast');
    expect(load(text).hosts['ssh']?.links).toBe(3);
    expect(notesOf(text)).toEqual(['a.ini:5: [batch] mode is not used']);
  });

  it('a section that is of neither is an error, also there', () => {
    expect(complaints(`${batch('threads = 2')}[hosts.vm]\n`)[0]).toContain(
      'did you mean [host.vm]',
    );
  });
});

it('other files stay strict: these sections are unknown in them', () => {
  expect(complaints('[host.vm]\nport = 22\n[slurm]\npartition = x\n')[0]).toContain(
    'a.ini:3: [slurm]: there is no section "slurm"',
  );
  expect(complaints('[host.vm]\nport = 22 # x\n[loggers]\nkeys = root\n')).toHaveLength(2);
});
