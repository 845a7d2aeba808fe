/** Goal: partitions are read as Slurm lists them, and one that is misspelt is told. Method: what Slurm 26.05 and 20.11 printed. */
import { describe, expect, it } from 'vitest';
import {
  namedPartitions,
  type Partition,
  parsePartition,
  partitionProblem,
} from '../../../../src/scheduler/slurm/partitions.ts';
import { aPolicy } from './policy.ts';

const DEBUG =
  'debug AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=NO QoS=N/A DefaultTime=00:05:00 DisableRootJobs=NO Exclusive=NO GraceTime=0 Hidden=NO MaxNodes=1 MaxTime=00:30:00 MinNodes=0 LLN=NO MaxCPUsPerNode=1 MaxCPUsPerSocket=UNLIMITED NodeSets=ALL Nodes=hpcx PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State=UP TotalCPUs=2 TotalNodes=1 SelectTypeParameters=NONE JobDefaults=(null) DefMemPerNode=UNLIMITED MaxMemPerNode=500 TRES=cpu=2,mem=1000M,node=1,billing=2';
const MAIN =
  'main AllowGroups=ALL Default=YES MaxNodes=UNLIMITED MaxTime=UNLIMITED MaxCPUsPerNode=UNLIMITED Nodes=n[1-9] State=UP TotalCPUs=18 TotalNodes=9 MaxMemPerNode=UNLIMITED TRES=cpu=2';

describe('a line of scontrol show partition', () => {
  it('is read with its limits', () => {
    expect(parsePartition(DEBUG)).toEqual({
      name: 'debug',
      isDefault: false,
      state: 'UP',
      maxTimeMs: 1_800_000,
      maxCpusPerNode: 1,
      maxMemoryPerNodeBytes: 500 * 2 ** 20,
      nodes: 1,
      cpus: 2,
    });
    expect(parsePartition(MAIN)).toEqual({
      name: 'main',
      isDefault: true,
      state: 'UP',
      nodes: 9,
      cpus: 18,
    });
  });

  it.each([
    ['2-00:00:00', 172_800_000],
    ['1-12:30:15', 131_415_000],
    ['30:00', 1_800_000],
    ['UNLIMITED', undefined],
    ['INFINITE', undefined],
  ])('MaxTime=%s is %s ms', (text, ms) => {
    expect(parsePartition(`x MaxTime=${text} State=UP`)?.maxTimeMs).toBe(ms);
  });

  it('is not made of what is none', () => {
    expect(parsePartition('')).toBeUndefined();
    expect(parsePartition('nope not found')).toBeUndefined();
  });
});

describe('partitions that are named', () => {
  const there: Partition[] = ['main', 'debug', 'gpu-a100'].map((name) => ({
    name,
    isDefault: false,
    state: 'UP',
  }));

  it('are found wherever the configuration names one', () => {
    const policy = aPolicy({
      partition: 'main,other',
      partitionShort: 'debug',
      partitionGpu: 'gpu',
      partitionFpga: 'fpga',
      args: ['--nice', '--partition=x'],
      rules: [{ args: ['--partition=y'] }],
      limits: [{ partition: 'z', over: 'deny' }],
    });
    expect(namedPartitions(policy).map(({ name, where }) => `${name}: ${where}`)).toEqual([
      'main: partition in [host.hpc]',
      'other: partition in [host.hpc]',
      'debug: partition_short in [host.hpc]',
      'gpu: partition_gpu in [host.hpc]',
      'fpga: partition_fpga in [host.hpc]',
      'x: sbatch_args in [host.hpc]',
      'z: [partition.hpc.z]',
      'y: args in a [sbatch.hpc.NAME]',
    ]);
  });

  it('a partition that is named and not there is SLURM_PARTITION_UNKNOWN, with the line and what there is', () => {
    const named = namedPartitions(aPolicy({ partition: 'main', partitionShort: 'debgu' }));
    const problem = partitionProblem(named, there, 'hpc');
    expect(problem?.code).toBe('SLURM_PARTITION_UNKNOWN');
    expect(problem?.message).toBe(
      'host hpc has no partition debgu (partition_short in [host.hpc]); there are: main, debug, gpu-a100',
    );
    expect(problem?.hint).toContain('towline host doctor hpc');
  });

  it('nothing is wrong where all are there, or none is named', () => {
    const good = namedPartitions(aPolicy({ partition: 'main,debug' }));
    expect(partitionProblem(good, there, 'hpc')).toBeUndefined();
    expect(partitionProblem(namedPartitions(aPolicy()), [], 'hpc')).toBeUndefined();
  });
});
