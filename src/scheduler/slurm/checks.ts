/** What doctor looks at on a login node: its commands, its partitions, what it keeps, whether it would take a job. */
import {
  asTold,
  failure,
  inIni,
  inWords,
  type Judgement,
  ok,
  short,
  skipped,
  warning,
} from '../../domain/judgement.ts';
import { formatDuration } from '../../domain/units.ts';
import type { SchedulerCheck } from '../scheduler.ts';
import { parseSlurmInspect, type SlurmFacts } from './inspect.ts';
import { namedPartitions, type Partition, partitionProblem } from './partitions.ts';
import type { SlurmPolicy } from './policy.ts';

/** In the order in which they are told. */
export function slurmChecks(policy: SlurmPolicy): SchedulerCheck[] {
  const judges = [
    { id: 'slurm', title: 'Slurm', judge: judgeSlurm },
    { id: 'partitions', title: 'partitions', judge: judgePartitions },
    { id: 'accounting', title: 'accounting', judge: judgeAccounting },
    { id: 'trial-job', title: 'trial job', judge: judgeTrialJob },
  ];
  return judges.map(({ id, title, judge }) => ({
    ...{ id, title },
    judge: (output) => {
      const facts = parseSlurmInspect(output);
      return facts && judge(facts, policy);
    },
  }));
}

const SHOWN_MAX = 8;

export function judgeSlurm({ missing, version, words }: SlurmFacts): Judgement {
  if (missing.length > 0) {
    return failure(`missing: ${missing.join(', ')}`, {
      code: 'HOST_TOOL_MISSING',
      cause: 'they are not on the PATH of a login without a terminal, or this is no login node',
      remedy: inIni('setup = module load slurm'),
    });
  }
  if (words === undefined) return ok(version ?? 'answers');
  return failure(`${version ?? 'Slurm'} does not answer: ${short(words)}`, {
    code: 'HOST_COMMAND_FAILED',
    cause: 'slurmctld is down, or the host is not part of the cluster (slurm.conf, munge)',
    remedy: inWords('ask the site; by hand on the host: scontrol ping'),
  });
}

export function judgePartitions({ partitions }: SlurmFacts, policy: SlurmPolicy): Judgement {
  if (partitions === undefined) return undefined;
  const named = namedPartitions(policy);
  const problem = partitionProblem(named, partitions, policy.host);
  if (problem !== undefined) return asTold(problem.toRecord());
  const used = partitions.filter(({ name }) => named.some((one) => one.name === name));
  const down = used.filter(({ state }) => state !== 'UP');
  if (down.length > 0) {
    return warning(`${down.map(({ name, state }) => `${name} is ${state}`).join(', ')}`, {
      cause: 'jobs for such a partition wait, or are refused',
      remedy: inWords('ask the site when it is back, or choose another partition'),
    });
  }
  const above = policy.limits.flatMap((limit) => {
    const given = used.find(({ name }) => name === limit.partition)?.maxTimeMs;
    const wanted = limit.maxTimeMs ?? Number.POSITIVE_INFINITY;
    return given === undefined || wanted <= given ? [] : [{ name: limit.partition, given }];
  });
  if (above.length > 0) {
    const most = above.map(({ name, given }) => `${name} gives ${formatDuration(given)} at most`);
    return warning(most.join(', '), {
      cause:
        'a task that asks for more waits in the queue for ever where the site does not refuse it',
      remedy: inWords(
        above
          .map(
            ({ name, given }) =>
              `write in [partition.${policy.host}.${name}]: max_time = ${formatDuration(given)}`,
          )
          .join('; '),
      ),
    });
  }
  return ok(listed(partitions));
}

function listed(partitions: readonly Partition[]): string {
  const shown = partitions.slice(0, SHOWN_MAX).map(({ name, isDefault, maxTimeMs }) => {
    const most = maxTimeMs === undefined ? 'no time limit' : `at most ${formatDuration(maxTimeMs)}`;
    return `${name} (${isDefault ? 'default, ' : ''}${most})`;
  });
  const more = partitions.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

export function judgeAccounting({ partitions, accounting }: SlurmFacts): Judgement {
  if (partitions === undefined) return undefined;
  if (accounting !== undefined) return ok(accounting);
  return ok('off: how jobs ended is asked of squeue and scontrol, and what they used is not known');
}

export function judgeTrialJob({ trial }: SlurmFacts): Judgement {
  if (trial === undefined) return undefined;
  const { accepted, words } = trial;
  if (accepted) return ok(short(words.replace(/^sbatch: (?=Job \d)/, '')));
  const said = short(words);
  if (said === '') return skipped('sbatch --test-only did not answer');
  return failure(`sbatch would refuse a job: ${said}`, {
    code: 'HOST_COMMAND_FAILED',
    cause:
      'partition, account, qos, constraint or sbatch_args of the host are not what the site takes',
    remedy: inWords('mend them in the configuration; by hand: sbatch --test-only --wrap=:'),
  });
}
