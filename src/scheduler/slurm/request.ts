/**
 * What a task asks of Slurm, as words for sbatch. First what follows from the task, then the words of the host,
 * those of its first rule that is true, those of the task: the last that say something win. sbatch refuses some
 * pairs (--mem with --mem-per-cpu), so what is said again later is left out earlier.
 */
import { AppError } from '../../domain/failure.ts';
import { type Amounts, holds } from '../../domain/slurm/condition.ts';
import { sbatchOption, sbatchWordProblem } from '../../domain/slurm/sbatch-words.ts';
import type { SlurmAsk, TaskSpec } from '../../domain/task.ts';
import type { JobRequest } from '../scheduler.ts';
import { limitAsk } from './limits.ts';
import { partitionOf } from './partition-choice.ts';
import type { SlurmPolicy } from './policy.ts';

export interface SlurmRequest extends JobRequest {
  /** As sbatch will be told; absent: the cluster's default. */
  partition?: string | undefined;
}

const MIB = 2 ** 20;
const MINUTE_MS = 60_000;

const ABOUT: Readonly<Record<string, readonly string[]>> = {
  memory: ['mem', 'mem-per-cpu', 'mem-per-gpu'],
  cpus: ['cpus-per-task', 'cpus-per-gpu'],
  gpus: ['gpus', 'gpus-per-task', 'gpus-per-node', 'gpus-per-socket'],
};

/**
 * Makes the words.
 * @throws TASK_INVALID CONFIG_VALUE_INVALID on a word that is not let through; SLURM_LIMIT on what a partition does not give
 */
export function jobRequest(spec: TaskSpec, policy: SlurmPolicy): SlurmRequest {
  const said = saidBy(spec, policy);
  const choice = partitionOf(spec, policy, said.flat());
  const { ask, notes } = limitAsk(spec, choice.partition, policy);
  const ours = [
    ...amountWords({ ...spec, ...ask }),
    ...placeWords(spec.slurm ?? {}, policy),
    ...option('partition', choice.partition),
  ];
  return {
    args: withoutRepeats([ours, ...said]),
    partition: choice.partition,
    notes: [...choice.notes, ...notes],
  };
}

/** The words of a job for which the task asks nothing. */
export function commonWords(policy: SlurmPolicy): string[] {
  const ours = [...placeWords({}, policy), ...option('partition', policy.partition)];
  return withoutRepeats([['--ntasks=1', ...ours], policy.args]);
}

/** Tasks with the same key may share an array or a pilot. */
export function alikeKey({ args }: JobRequest): string {
  return JSON.stringify(args);
}

/** What is said in words: for the host, for tasks like this one, by the task. */
function saidBy(spec: TaskSpec, policy: SlurmPolicy): (readonly string[])[] {
  const amounts = amountsOf(spec);
  const rule = policy.rules.find(({ when }) => when === undefined || holds(when, amounts) === true);
  const ofHost = [policy.args, rule?.args ?? []];
  const ofTask = spec.slurm?.args ?? [];
  for (const word of ofHost.flat()) refuseBad(word, 'CONFIG_VALUE_INVALID', `host ${policy.host}`);
  for (const word of ofTask) refuseBad(word, 'TASK_INVALID', 'slurm.args');
  return [...ofHost, ofTask];
}

/** A job has one CPU and no GPU where nothing is said; memory and time are as the cluster has them. */
export function amountsOf({ cpus = 1, gpus = 0, memoryBytes, timeLimitMs }: TaskSpec): Amounts {
  return {
    cpus,
    gpus,
    ...(memoryBytes !== undefined && { memory: memoryBytes }),
    ...(timeLimitMs !== undefined && { time: timeLimitMs }),
  };
}

function refuseBad(word: string, code: 'CONFIG_VALUE_INVALID' | 'TASK_INVALID', whose: string) {
  const problem = sbatchWordProblem(word);
  if (problem !== undefined) throw new AppError(code, `${whose}: ${problem}`);
}

/** Fractions are rounded up: a job must have what its task was promised. */
function amountWords({ cpus, memoryBytes, gpus, timeLimitMs, slurm = {} }: TaskSpec): string[] {
  const { nodes, ntasksPerNode } = slurm;
  return [
    // Without a count sbatch makes one of the nodes, and GPUs of a task want one.
    option('ntasks', (nodes ?? 1) * (ntasksPerNode ?? 1)),
    option('cpus-per-task', cpus && Math.ceil(cpus)),
    option('mem', memoryBytes && `${Math.ceil(memoryBytes / MIB)}M`),
    option('gpus-per-task', gpus === 0 ? undefined : gpus),
    option('time', timeLimitMs && Math.ceil(timeLimitMs / MINUTE_MS)),
    option('nodes', nodes),
    option('ntasks-per-node', ntasksPerNode),
  ].flat();
}

function placeWords(slurm: SlurmAsk, policy: SlurmPolicy): string[] {
  return [
    option('account', slurm.account ?? policy.account),
    option('qos', slurm.qos ?? policy.qos),
    option('constraint', slurm.constraint ?? policy.constraint),
  ].flat();
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}

/** What one layer of words says is left out of those before it. */
function withoutRepeats(layers: readonly (readonly string[])[]): string[] {
  return layers.flatMap((layer, index) => {
    const later = new Set(
      layers
        .slice(index + 1)
        .flat()
        .flatMap(whatIsSaid),
    );
    return layer.filter((word) => !whatIsSaid(word).some((what) => later.has(what)));
  });
}

/** What a word is about, and its name: some options are other words for the same, and sbatch refuses both. */
function whatIsSaid(word: string): string[] {
  const { name = '', value = '' } = sbatchOption(word) ?? {};
  const inList = (what: RegExp): boolean => value.split(',').some((item) => what.test(item));
  const about = Object.entries(ABOUT).flatMap(([what, names]) =>
    names.includes(name) ? what : [],
  );
  if (name === 'gres' && inList(/^(gres[/:])?gpu\b/)) about.push('gpus');
  if (name === 'tres-per-task' && inList(/^gres[/:]gpu\b/)) about.push('gpus');
  if (name === 'tres-per-task' && inList(/^cpu\b/)) about.push('cpus');
  return [name, ...about];
}
