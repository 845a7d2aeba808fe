/** The keys of [host.NAME] for a host with a scheduler, and those of the sections beside it. */
import { formatCondition } from '../domain/slurm/condition.ts';
import { parseCondition } from '../domain/slurm/parse-condition.ts';
import {
  ACCOUNT,
  CONSTRAINT,
  PARTITION,
  QOS,
  SLURM_NAMES,
  sbatchWordProblem,
} from '../domain/slurm/sbatch-words.ts';
import type { KeyTable } from './key-table.ts';
import {
  choice,
  duration,
  integer,
  matching,
  parsedBy,
  size,
  type ValueType,
  words,
} from './values.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const partition = matching('partition', PARTITION, SLURM_NAMES.partition);
const sbatchArgs: ValueType<readonly string[]> = checkedWords(words, sbatchWordProblem);

export const SCHEDULER_KEYS = {
  scheduler: {
    field: 'scheduler',
    type: choice('none', 'slurm'),
    doc: 'What starts tasks on the host: none starts them at once, with what the host has; slurm has each be a job of the cluster whose login node the host is (docs/slurm.md).',
    example: 'slurm',
    otherwise: { default: 'none' },
  },
} as const satisfies KeyTable;

export const SLURM_KEYS = {
  partition: {
    field: 'partition',
    type: partition,
    doc: 'The partition of jobs; a task that names one goes there.',
    example: 'compute',
    slurmOnly: true,
    otherwise: { absent: 'the default partition of the cluster' },
  },
  partition_short: {
    field: 'partitionShort',
    type: partition,
    doc: 'The partition of tasks that say they are short.',
    example: 'debug',
    slurmOnly: true,
    otherwise: { absent: 'partition' },
  },
  partition_gpu: {
    field: 'partitionGpu',
    type: partition,
    doc: 'The partition of tasks that ask for GPUs, short ones too.',
    example: 'gpu',
    slurmOnly: true,
    otherwise: { absent: 'partition_short, partition' },
  },
  partition_fpga: {
    field: 'partitionFpga',
    type: partition,
    doc: 'The partition of tasks that ask for an FPGA; it comes before all others.',
    example: 'fpga',
    slurmOnly: true,
    otherwise: { absent: 'partition_gpu, partition_short, partition' },
  },
  account: {
    field: 'account',
    type: matching('account', ACCOUNT, SLURM_NAMES.account),
    doc: 'The account that jobs are charged to.',
    example: 'lab42',
    slurmOnly: true,
    otherwise: { absent: 'the default account of the user' },
  },
  qos: {
    field: 'qos',
    type: matching('QOS', QOS, SLURM_NAMES.qos),
    doc: 'The quality of service of jobs.',
    example: 'normal',
    slurmOnly: true,
    otherwise: { absent: 'the default of the account' },
  },
  constraint: {
    field: 'constraint',
    type: matching('constraint', CONSTRAINT, SLURM_NAMES.constraint),
    doc: 'Features that the nodes of jobs must have, as sbatch takes them.',
    example: 'intel&ib',
    slurmOnly: true,
    otherwise: { absent: 'none' },
  },
  sbatch_args: {
    field: 'sbatchArgs',
    type: sbatchArgs,
    doc: 'Further options of sbatch, each --name=value, in order; they win over what Towline makes of the task. Those for some tasks stand in [sbatch.HOST.NAME].',
    example: '--exclude=node7 --mail-type=FAIL',
    slurmOnly: true,
    otherwise: { computed: 'none' },
  },
  job_prefix: {
    field: 'jobPrefix',
    type: matching(
      'name',
      /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/,
      'at most 32 letters, digits, dots, - and _',
    ),
    doc: 'What the names of jobs begin with.',
    example: 'lab',
    slurmOnly: true,
    otherwise: { default: 'towline' },
  },
  array: {
    field: 'array',
    type: choice('auto', 'off'),
    doc: 'With auto tasks that ask for the same are submitted together, as one job array.',
    example: 'off',
    slurmOnly: true,
    otherwise: { default: 'auto' },
  },
  pilot_tasks: {
    field: 'pilotTasks',
    type: integer(0, 10_000),
    doc: 'How many tasks that ask for the same one job may run, one after the other; with 0 each task has a job of its own.',
    example: '100',
    slurmOnly: true,
    otherwise: { default: '0' },
  },
  pilot_walltime: {
    field: 'pilotWalltimeMs',
    type: duration(60 * SECOND_MS, 365 * DAY_MS),
    doc: 'How long such a job may last; it takes no new task that it could not finish.',
    example: '4h',
    slurmOnly: true,
    otherwise: { default: '1h' },
  },
  submit_concurrency: {
    field: 'submitConcurrency',
    type: integer(1, 100),
    doc: 'How many commands that submit or cancel jobs run at the same time.',
    example: '1',
    slurmOnly: true,
    otherwise: { default: '4' },
  },
  slurm_timeout: {
    field: 'slurmTimeoutMs',
    type: duration(SECOND_MS, HOUR_MS),
    doc: 'How long one command of Slurm may take; after that its answer counts as unknown.',
    example: '3m',
    slurmOnly: true,
    otherwise: { default: '1m' },
  },
  queue_poll_min: {
    field: 'queuePollMinMs',
    type: duration(SECOND_MS, DAY_MS),
    doc: 'How often the queue is asked for all jobs at once while they change.',
    example: '5s',
    slurmOnly: true,
    otherwise: { default: '2s' },
  },
  queue_poll_max: {
    field: 'queuePollMaxMs',
    type: duration(SECOND_MS, DAY_MS),
    doc: 'How often it is asked when nothing has changed for long.',
    example: '2m',
    slurmOnly: true,
    otherwise: { default: '30s' },
  },
} as const satisfies KeyTable;

export const PARTITION_KEYS = {
  max_cpus: {
    field: 'maxCpus',
    type: integer(1, 1_000_000),
    doc: 'How many CPUs a task may ask for.',
    example: '64',
    otherwise: { absent: 'no limit' },
  },
  max_memory: {
    field: 'maxMemoryBytes',
    type: size,
    doc: 'How much memory a task may ask for.',
    example: '256 GiB',
    otherwise: { absent: 'no limit' },
  },
  max_time: {
    field: 'maxTimeMs',
    type: duration(60 * SECOND_MS, 3_650 * DAY_MS),
    doc: 'How long a time limit a task may ask for.',
    example: '2d',
    otherwise: { absent: 'no limit' },
  },
  over: {
    field: 'over',
    type: choice('deny', 'clamp'),
    doc: 'What becomes of a task that asks for more: deny refuses it before anything is submitted; clamp asks the partition for as much as it gives, and says so.',
    example: 'clamp',
    otherwise: { default: 'deny' },
  },
} as const satisfies KeyTable;

export const SBATCH_KEYS = {
  when: {
    field: 'when',
    type: parsedBy('condition', parseCondition, formatCondition),
    doc: 'Which tasks: comparisons of cpus, memory, gpus and time by <, <=, >, >=, == and !=, with not, and, or and parentheses. What a task does not ask for makes a comparison neither true nor false, but for cpus (1) and gpus (0).',
    example: 'gpus > 0 and memory >= 64 GiB',
    otherwise: { absent: 'all tasks' },
  },
  args: {
    field: 'args',
    type: sbatchArgs,
    doc: 'Options of sbatch for them, each --name=value, in order, after those of sbatch_args.',
    example: '--gres=gpu:a100:1 --exclusive',
    otherwise: { absent: 'must be given' },
  },
} as const satisfies KeyTable;

/** Arguments of which each has to be one that is let through. */
function checkedWords(
  type: ValueType<readonly string[]>,
  problemOf: (word: string) => string | undefined,
): ValueType<readonly string[]> {
  return {
    ...type,
    schema: (context) =>
      type.schema(context).check((parsed) => {
        const wrong = parsed.value.map(problemOf).find((problem) => problem !== undefined);
        if (wrong !== undefined)
          parsed.issues.push({ code: 'custom', message: wrong, input: parsed.value });
      }),
  };
}
