/** What a partition gives at most, and what becomes of a task that asks for more. */
import { AppError } from '../../domain/failure.ts';
import type { TaskSpec } from '../../domain/task.ts';
import { formatDuration, formatSize } from '../../domain/units.ts';
import type { PartitionLimits, SlurmPolicy } from './policy.ts';

type Ask = Pick<TaskSpec, 'cpus' | 'memoryBytes' | 'timeLimitMs'>;

const cpusText = (cpus: number): string => `${cpus} ${cpus === 1 ? 'cpu' : 'cpus'}`;

const KINDS = [
  { asked: 'cpus', limit: 'maxCpus', key: 'max_cpus', text: cpusText },
  {
    asked: 'memoryBytes',
    limit: 'maxMemoryBytes',
    key: 'max_memory',
    text: (bytes: number) => `${formatSize(bytes)} of memory`,
  },
  {
    asked: 'timeLimitMs',
    limit: 'maxTimeMs',
    key: 'max_time',
    text: (ms: number) => `a time limit of ${formatDuration(ms)}`,
  },
] as const;

/**
 * What to ask the partition for. Of several partitions each is looked at: Slurm may choose any.
 * @throws SLURM_LIMIT where one of them is over = deny
 */
export function limitAsk(
  { cpus, memoryBytes, timeLimitMs }: TaskSpec,
  partition: string | undefined,
  { limits, host }: SlurmPolicy,
): { ask: Ask; notes: string[] } {
  const names = partition?.split(',') ?? [];
  const ask: Ask = { cpus, memoryBytes, timeLimitMs };
  const notes: string[] = [];
  for (const limit of limits.filter((one) => names.includes(one.partition))) {
    for (const { asked, limit: name, key, text } of KINDS) {
      const most = limit[name];
      const wanted = ask[asked];
      if (most === undefined || wanted === undefined || wanted <= most) continue;
      const said = `partition ${limit.partition} of host ${host} gives at most ${text(most)}`;
      if (limit.over === 'deny') throw refusal(said, { text: text(wanted), key, limit, host });
      notes.push(`${said}: the task asks for ${text(wanted)}, the job for no more than that`);
      ask[asked] = most;
    }
  }
  return { ask, notes };
}

function refusal(
  said: string,
  { text, key, limit, host }: { text: string; key: string; limit: PartitionLimits; host: string },
): AppError {
  const { partition } = limit;
  const message = `${said} (${key} in [partition.${host}.${partition}]), the task asks for ${text}`;
  return new AppError('SLURM_LIMIT', message, { context: { host, partition } });
}
