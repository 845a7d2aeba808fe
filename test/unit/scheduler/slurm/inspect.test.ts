/**
 * Goal: doctor sees a cluster as it is, and a login node without one as that. Method: the text in every sh
 * there is, with commands in place of Slurm's that say what Slurm 26.05 said (fakes: for what a real one will
 * not do on demand).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSlurmInspect, slurmInspectText } from '../../../../src/scheduler/slurm/inspect.ts';
import { SHELLS } from '../../../support/shells.ts';

const ORDINARY = {
  sbatch: `case $1 in
  --version) echo 'slurm-wlm 26.05.5' ;;
  *) printf '%s|' "$@" >&2; echo 'sbatch: Job 26 to start at 2026-11-29T06:05:31 a using 1 processors on nodes n1 in partition main' >&2 ;;
esac`,
  squeue: ':',
  scancel: ':',
  scontrol: `case $2 in
  partition) echo 'PartitionName=main Default=YES MaxTime=UNLIMITED State=UP'; echo 'PartitionName=debug Default=NO MaxTime=00:30:00 State=DOWN' ;;
  config) echo 'AccountingStorageType   = accounting_storage/slurmdbd'; echo 'AccountingStorageUser = N/A' ;;
esac`,
};

/** What is on the PATH of the login node; the basic commands are those of this machine. */
function loginNode(commands: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'towline-slurm-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  for (const name of ['timeout', 'sed', 'tr', 'cut', 'sh', 'cat']) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    symlinkSync(stdout.trim(), join(directory, name));
  }
  return directory;
}

describe.each(SHELLS)('%s %s', (...shell) => {
  const [program = 'sh', ...args] = shell.filter((part) => part !== undefined);

  function inspect(commands: Record<string, string>, words: string[] = []) {
    const { stdout: path } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
    const { stdout } = spawnSync(path.trim(), args, {
      input: slurmInspectText(words),
      encoding: 'utf8',
      env: { PATH: loginNode(commands) },
    });
    return parseSlurmInspect(stdout);
  }

  it('a cluster in good health is told with its partitions, and takes the words of a job as they are', () => {
    const facts = inspect(ORDINARY, ['--partition=main', "--comment=it's $(here)"]);
    expect(facts).toEqual({
      missing: [],
      version: 'slurm-wlm 26.05.5',
      partitions: [
        { name: 'main', isDefault: true, state: 'UP' },
        { name: 'debug', isDefault: false, state: 'DOWN', maxTimeMs: 1_800_000 },
      ],
      accounting: 'accounting_storage/slurmdbd',
      trial: {
        accepted: true,
        words:
          "--test-only|--partition=main|--comment=it's $(here)|--wrap=:|sbatch: Job 26 to start at 2026-11-29T06:05:31 a using 1 processors on nodes n1 in partition main",
      },
    });
  });

  it('a machine without Slurm is told by the commands that are missing', () => {
    const { scancel } = ORDINARY;
    expect(inspect({ scancel })).toEqual({ missing: ['sbatch', 'squeue', 'scontrol'] });
  });

  it('a controller that is down is told in its words, and nothing more is asked', () => {
    const scontrol =
      "echo 'slurm_load_partitions error: Unable to contact slurm controller (connect failure)' >&2; exit 1";
    expect(inspect({ ...ORDINARY, scontrol })).toEqual({
      missing: [],
      version: 'slurm-wlm 26.05.5',
      words: 'slurm_load_partitions error: Unable to contact slurm controller (connect failure)',
    });
  });

  it('accounting that is off, and a job that is refused', () => {
    const sbatch = `case $1 in --version) echo slurm 20.11.9 ;; *) echo 'sbatch: error: invalid partition specified: nope' >&2; echo 'allocation failure: Invalid partition name specified' >&2; exit 1 ;; esac`;
    const scontrol = `case $2 in partition) echo 'PartitionName=main State=UP' ;; config) echo 'AccountingStorageType   = (null)' ;; esac`;
    const facts = inspect({ ...ORDINARY, sbatch, scontrol });
    expect(facts).toMatchObject({
      version: 'slurm 20.11.9',
      trial: {
        accepted: false,
        words:
          'sbatch: error: invalid partition specified: nope allocation failure: Invalid partition name specified',
      },
    });
    expect(facts).not.toHaveProperty('accounting');
  });
});

it('a reply without a line of it is no facts', () => {
  expect(parseSlurmInspect('motd\n@ fact user alice\n')).toBeUndefined();
});
