/** Says why a task can never run here: what it asks for, and the most that each host has. */
import { AppError } from '../domain/failure.ts';
import type { Capacity } from '../domain/placement.ts';
import type { TaskSpec } from '../domain/task.ts';
import { formatSize } from '../domain/units.ts';

const HOSTS_SHOWN_MAX = 10;

/** The error for a task that fits none of these hosts. */
export function noHostFits(spec: TaskSpec, hosts: readonly Capacity[]): AppError {
  const who =
    spec.host === undefined ? 'no configured host can ever' : `host ${spec.host} can never`;
  const [only] = hosts;
  const refusal = hosts.length === 1 ? only?.refuses?.(spec) : undefined;
  if (refusal !== undefined) return refusal;
  const shown = hosts
    .slice(0, HOSTS_SHOWN_MAX)
    .map((host) => host.refuses?.(spec)?.message ?? `${host.name} ${hasText(host)}`);
  if (hosts.length > shown.length) shown.push(`and ${hosts.length - shown.length} more`);
  const most = shown.length === 0 ? '' : `: ${shown.join('; ')}`;
  const message = `${who} run a task that asks for ${askText(spec)}${most}`;
  return new AppError('TASK_NO_HOST_FITS', message, { context: { host: spec.host } });
}

function askText({ cpus, memoryBytes, gpus, slurm, require = [] }: TaskSpec): string {
  const asks = [
    cpus === undefined ? [] : [`${cpus} cpus`],
    memoryBytes === undefined ? [] : [`${formatSize(memoryBytes)} of memory`],
    gpus === undefined ? [] : [`${gpus} gpus`],
    slurm === undefined ? [] : ['a job of Slurm'],
    require.length === 0 ? [] : [`the tags ${require.join(', ')}`],
  ].flat();
  return asks.length === 0 ? 'nothing' : asks.join(', ');
}

function hasText({ maxTasks, cpus, memoryBytes, gpus, tags, scheduled }: Capacity): string {
  const memory = memoryBytes === undefined ? undefined : formatSize(memoryBytes);
  const unknown = scheduled === true ? 'any' : 'unknown';
  return [
    `has ${maxTasks} tasks`,
    `${cpus ?? unknown} cpus`,
    `${memory ?? unknown} memory`,
    `${gpus ?? unknown} gpus`,
    tags.length === 0 ? 'no tags' : `tags ${tags.join(', ')}`,
  ].join(', ');
}
