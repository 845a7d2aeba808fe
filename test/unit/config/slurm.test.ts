/** Goal: a cluster is configured in few lines, and what does not fit is told. Method: small files and their lines told. */
import { describe, expect, it } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { engineSettings, slurmPolicyOf } from '../../../src/host-settings.ts';
import { complaints, load } from './support.ts';

const HPC = '[host.hpc]\nscheduler = slurm\n';

/** What the engine gets of the first host. */
function policyOf(text: string | string[]) {
  return engineSettings(load(text), console as never).hosts[0]?.policy;
}

function slurmOf(text: string | string[]) {
  const config = load(text);
  const [host] = Object.values(config.hosts);
  return host && slurmPolicyOf(host, config.slurm[host.name]);
}

describe('a host with scheduler = slurm', () => {
  it('needs that line and nothing more', () => {
    expect(policyOf(HPC)).toMatchObject({
      jobs: { scheduler: { kind: 'slurm' } },
      maxTasks: 1_000,
    });
    expect(slurmOf(HPC)).toEqual({
      host: 'hpc',
      args: [],
      rules: [],
      limits: [],
      jobPrefix: 'towline',
      array: 'auto',
      pilotTasks: 0,
      pilotWalltimeMs: 3_600_000,
      submitConcurrency: 4,
      commandTimeoutMs: 60_000,
      pollMinMs: 2_000,
      pollMaxMs: 30_000,
    });
  });

  it('gets what is written, in the order of the files', () => {
    const site = `${HPC}partition = main\npartition_gpu = gpu,gpu-big\nsbatch_args = --exclude=n7 '--comment=a b'
[partition.hpc.main]\nmax_cpus = 64\nover = clamp\n[sbatch.hpc.big]\nwhen = gpus > 0 and memory >= 64GB\nargs = --gres=gpu:a100:1\n`;
    const own =
      '[sbatch.hpc.long]\nwhen = time > 12h\nargs = --qos=long\n[sbatch.hpc.big]\nargs = --exclusive\n[partition.hpc.gpu]\nmax_time = 2d\n';
    expect(slurmOf([site, own])).toMatchObject({
      partition: 'main',
      partitionGpu: 'gpu,gpu-big',
      args: ['--exclude=n7', '--comment=a b'],
      rules: [
        { when: { kind: 'and' }, args: ['--exclusive'] },
        { when: { kind: 'compare', subject: 'time' }, args: ['--qos=long'] },
      ],
      limits: [
        { partition: 'main', maxCpus: 64, over: 'clamp' },
        { partition: 'gpu', maxTimeMs: 172_800_000, over: 'deny' },
      ],
    });
  });

  it('may be this machine itself, as on a login node', () => {
    const text = `${HPC}type = local\npartition = main\n`;
    expect(policyOf(text)?.type).toBe('local');
    expect(slurmOf(text)).toMatchObject({ partition: 'main' });
  });

  it('is another host when a section beside it changes', () => {
    const before = policyOf(HPC)?.configured;
    expect(policyOf(`${HPC}[partition.hpc.main]\nmax_cpus = 4\n`)?.configured).not.toBe(before);
    expect(policyOf(HPC)?.configured).toBe(before);
  });

  it('shows its sections and keys as they were written; others show none', () => {
    const rows = describeConfig(load(`${HPC}[sbatch.hpc.a]\nwhen = (gpus > 0)\nargs = --nice\n`));
    const shown = rows.map(({ section, key, value }) => `${section}.${key} = ${value}`);
    expect(shown).toContain('sbatch.hpc.a.when = gpus > 0');
    expect(shown).toContain('host.hpc.submit_concurrency = 4');
    const plain = describeConfig(load('[host.vm]')).map(({ key }) => key);
    expect(plain).toContain('scheduler');
    expect(plain).not.toContain('submit_concurrency');
    expect(policyOf('[host.vm]')).toMatchObject({ maxTasks: 8, jobs: undefined });
  });
});

describe('what is wrong is told with its line', () => {
  it.each([
    [
      '[host.vm]\npartition = main',
      'a.ini:2: [host.vm] partition: is only for a host with scheduler = slurm; add that, or remove the line',
    ],
    [
      `${HPC}partition = main --wrap=id`,
      'a.ini:3: [host.hpc] partition: "main --wrap=id" is not the name of a partition, or several by comma without blanks',
    ],
    [`${HPC}account = $(id)`, 'a.ini:3: [host.hpc] account: "$(id)" is not the name of an account'],
    [
      `${HPC}sbatch_args = -p main`,
      'a.ini:3: [host.hpc] sbatch_args: "-p" is not of the form --name=value; write the long form, like --exclude=node1',
    ],
    [
      `${HPC}sbatch_args = --nice --wrap=id`,
      'a.ini:3: [host.hpc] sbatch_args: --wrap is not for you to set: the command of the task is what runs',
    ],
    [
      `${HPC}queue_poll_min = 1m`,
      'a.ini:3: [host.hpc] queue_poll_min: queue_poll_min is longer than queue_poll_max',
    ],
    [
      `${HPC}partitions = a`,
      'a.ini:3: [host.hpc] partitions: there is no such key; did you mean "partition"?',
    ],
    [
      `${HPC}[partition.hpc.main]\nmax_cpu = 4`,
      'a.ini:4: [partition.hpc.main] max_cpu: there is no such key; did you mean "max_cpus"?',
    ],
    [
      `${HPC}[partition.hcp.main]\nmax_cpus = 4`,
      'a.ini:3: [partition.hcp.main]: there is no section [host.hcp]; did you mean "hpc"?',
    ],
    [
      '[host.vm]\n[partition.vm.main]',
      'a.ini:2: [partition.vm.main]: [host.vm] has no scheduler = slurm',
    ],
    [`${HPC}[sbatch.hpc.a]\nwhen = gpus > 0`, 'a.ini:3: [sbatch.hpc.a] args: is missing'],
    [
      `${HPC}[sbatch.hpc.a]\nwhen = gpu > 0\nargs = --nice`,
      'a.ini:4: [sbatch.hpc.a] when: at character 1: "gpu" is not one of cpus, memory, gpus, time; did you mean "gpus"?',
    ],
    [
      `${HPC}[partition.main]`,
      'a.ini:3: [partition.main]: this section is written [partition.HOST.NAME], both of letters, digits, - and _ only',
    ],
    [
      `${HPC}[sbatch.hpc.a.b]`,
      'a.ini:3: [sbatch.hpc.a.b]: this section is written [sbatch.HOST.NAME], both of letters, digits, - and _ only',
    ],
    [
      `${HPC}[partitions.hpc.main]`,
      'a.ini:3: [partitions.hpc.main]: there is no section "partitions.hpc.main"; did you mean [partition.HOST.NAME]?',
    ],
  ])('%j', (text, line) => {
    expect(complaints(text)).toEqual([line]);
  });
});
