/** The partitions of a cluster, as scontrol lists them, and which of those that are named are not among them. */
import { AppError } from '../../domain/failure.ts';
import { sbatchOption } from '../../domain/slurm/sbatch-words.ts';
import type { SlurmPolicy } from './policy.ts';

export interface Partition {
  name: string;
  isDefault: boolean;
  /** UP, DOWN, DRAIN or INACTIVE. */
  state: string;
  /** Absent: as long as one likes. */
  maxTimeMs?: number | undefined;
  maxCpusPerNode?: number | undefined;
  maxMemoryPerNodeBytes?: number | undefined;
  nodes?: number | undefined;
  cpus?: number | undefined;
}

/** A partition that the configuration names, and the line that does. */
export interface NamedPartition {
  name: string;
  /** As `partition_gpu in [host.hpc]`. */
  where: string;
}

const SHOWN_MAX = 20;

/** Prints a line for each partition; what scontrol says else is in $words, its code in $code. */
export const LIST_PARTITIONS = `words=$(timeout 12 scontrol show partition -o 2>&1 </dev/null)
code=$?
printf '%s\\n' "$words" | sed -n 's/^ *PartitionName=/@ partition /p'`;

/** Reads one such line; undefined where it is none. */
export function parsePartition(rest: string): Partition | undefined {
  const [name = '', ...fields] = rest.trim().split(/\s+/);
  const said = new Map(fields.map((field) => split(field)));
  const state = said.get('State');
  if (name === '' || state === undefined) return undefined;
  return {
    name,
    isDefault: said.get('Default') === 'YES',
    state,
    maxTimeMs: slurmTime(said.get('MaxTime')),
    maxCpusPerNode: count(said.get('MaxCPUsPerNode')),
    maxMemoryPerNodeBytes: megabytes(said.get('MaxMemPerNode')),
    nodes: count(said.get('TotalNodes')),
    cpus: count(said.get('TotalCPUs')),
  };
}

function split(field: string): [string, string] {
  const at = field.indexOf('=');
  return [field.slice(0, Math.max(at, 0)), field.slice(at + 1)];
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function megabytes(text: string | undefined): number | undefined {
  const megas = count(text);
  return megas === undefined ? undefined : megas * 2 ** 20;
}

/** `30:00`, `12:00:00`, `2-00:00:00`; UNLIMITED and INFINITE are none. */
function slurmTime(text: string | undefined): number | undefined {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text ?? '');
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((n) => Number(n ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}

/** Every partition that the configuration of a host names, in the order of its documentation. */
export function namedPartitions(policy: SlurmPolicy): NamedPartition[] {
  const { host, partition, partitionShort, partitionGpu, partitionFpga, args, rules } = policy;
  const keys = {
    partition,
    partition_short: partitionShort,
    partition_gpu: partitionGpu,
    partition_fpga: partitionFpga,
    sbatch_args: partitionIn(args),
  };
  return [
    ...Object.entries(keys).flatMap(([key, names]) => each(names, `${key} in [host.${host}]`)),
    ...policy.limits.flatMap((limit) =>
      each(limit.partition, `[partition.${host}.${limit.partition}]`),
    ),
    ...rules.flatMap((rule) => each(partitionIn(rule.args), `args in a [sbatch.${host}.NAME]`)),
  ];
}

function partitionIn(words: readonly string[]): string | undefined {
  return words.map(sbatchOption).findLast((option) => option?.name === 'partition')?.value;
}

function each(names: string | undefined, where: string): NamedPartition[] {
  return (names?.split(',') ?? []).map((name) => ({ name, where }));
}

/** The error for partitions that are named and not there; undefined: all are. */
export function partitionProblem(
  named: readonly NamedPartition[],
  partitions: readonly Partition[],
  host: string,
): AppError | undefined {
  const names = partitions.map(({ name }) => name);
  const missing = named.filter(({ name }) => !names.includes(name));
  if (missing.length === 0) return undefined;
  const said = missing.map(({ name, where }) => `${name} (${where})`);
  const shown = [...names.slice(0, SHOWN_MAX), ...(names.length > SHOWN_MAX ? ['…'] : [])];
  const there = names.length === 0 ? 'none that you may see' : shown.join(', ');
  const message = `host ${host} has no partition ${said.join(' nor ')}; there are: ${there}`;
  return new AppError('SLURM_PARTITION_UNKNOWN', message, { context: { host } });
}
