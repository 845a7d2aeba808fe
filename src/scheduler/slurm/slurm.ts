/** Slurm behind the interface of a scheduler. Its facts: slurm.schedmd.com of 26.05 and earlier, and what was measured on the bed (docs/slurm.md). */
import { setupLines } from '../../script/task-script.ts';
import type { Scheduler } from '../scheduler.ts';
import { cancelText, parseCancel } from './cancel.ts';
import { slurmChecks } from './checks.ts';
import { findText, parseFind } from './find.ts';
import { slurmInspectText } from './inspect.ts';
import { jobName } from './job-name.ts';
import type { SlurmPolicy } from './policy.ts';
import { detailText, parseDetail, parseQueue, queueText } from './queue.ts';
import { commonWords, jobRequest } from './request.ts';
import { ID_LINE, judgeSubmit, submitCommand } from './submit.ts';
import { parseUsage, usageText } from './usage.ts';
import { withinText } from './within.ts';

/** Options that the launch depends on, as sbatch takes them from the environment (sbatch(1), INPUT ENVIRONMENT VARIABLES). */
const UNSET = [
  'SBATCH_ARRAY_INX',
  'SBATCH_WAIT',
  'SBATCH_REQUEUE',
  'SBATCH_OPEN_MODE',
  'SBATCH_JOB_NAME',
  'SBATCH_OUTPUT',
  'SBATCH_ERROR',
  'SBATCH_HOLD',
  'SBATCH_TEST_ONLY',
];

/** MaxArraySize is 1001 unless a site says otherwise: indexes end at 1000. */
const ARRAY_MAX = 1000;

/** `setup`: lines of the site that make the commands known. */
export function createSlurm(policy: SlurmPolicy, setup?: string): Scheduler {
  const lines = setupLines(setup);
  const known = (text: string): string => [...lines, text].join('\n');
  const time = { timeoutS: Math.ceil(policy.commandTimeoutMs / 1000) };
  return {
    kind: 'slurm',
    title: 'Slurm',
    arrayMax: ARRAY_MAX,
    setup: lines,
    unset: UNSET,
    variables: {
      id: '${SLURM_JOB_ID:-0}',
      restart: '${SLURM_RESTART_COUNT:-0}',
      index: '${SLURM_ARRAY_TASK_ID:-0}',
    },
    idLine: ID_LINE,
    request: (spec) => jobRequest(spec, policy),
    jobName: (batch) => jobName(policy.jobPrefix, batch),
    submitCommand,
    judgeSubmit,
    findText: (names) => known(findText(names, time)),
    parseFind,
    queueText: () => known(queueText({ prefix: policy.jobPrefix, ...time })),
    parseQueue,
    detailText: (jobs) => known(detailText(jobs, time)),
    parseDetail,
    withinText: (job, text, tty) => known(withinText(job, text, tty)),
    usageText: (ids) => known(usageText(ids, time)),
    parseUsage,
    cancelText: (ids) => known(cancelText(ids, time)),
    parseCancel,
    inspectText: () => slurmInspectText(commonWords(policy)),
    checks: slurmChecks(policy),
  };
}
