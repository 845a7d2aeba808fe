/** Which partition a task goes to. */
import { sbatchOption } from '../../domain/slurm/sbatch-words.ts';
import type { TaskSpec } from '../../domain/task.ts';
import type { SlurmPolicy } from './policy.ts';

/**
 * The last --partition of the words, else what the task names, else that for FPGAs, for GPUs, for short tasks,
 * for all: the first that is wanted and configured.
 */
export function partitionOf(
  { slurm = {}, gpus = 0 }: TaskSpec,
  policy: SlurmPolicy,
  words: readonly string[],
): { partition: string | undefined; notes: string[] } {
  const said = words.map(sbatchOption).findLast((option) => option?.name === 'partition')?.value;
  const named = said ?? slurm.partition;
  if (named !== undefined) return { partition: named, notes: [] };
  const { partitionFpga, partitionGpu, partitionShort } = policy;
  const wanted = [
    slurm.fpga === true ? partitionFpga : undefined,
    gpus > 0 ? partitionGpu : undefined,
    slurm.short === true ? partitionShort : undefined,
  ];
  const partition = wanted.find((one) => one !== undefined) ?? policy.partition;
  return { partition, notes: withoutFpga(slurm.fpga === true, policy, partition) };
}

function withoutFpga(
  asked: boolean,
  { host, partitionFpga }: SlurmPolicy,
  partition: string | undefined,
): string[] {
  if (!asked || partitionFpga !== undefined) return [];
  const where = partition === undefined ? 'the default partition' : `partition ${partition}`;
  return [`host ${host} has no partition_fpga: the job goes to ${where}`];
}
