/** Texts of jobs and of Slurm, with names that hurt. */
import { createSlurm } from '../../src/scheduler/slurm/slurm.ts';
import { cancelText } from '../../src/script/cancel.ts';
import { jobScript } from '../../src/script/job.ts';
import { launchText } from '../../src/script/launch.ts';
import { submitText } from '../../src/script/submit-job.ts';
import { aPolicy } from '../unit/scheduler/slurm/policy.ts';
import { aLaunch, PLACE, TOKEN } from '../unit/script/samples.ts';

const SLURM = createSlurm(aPolicy(), "module load slurm; echo 'loud'");
const TASK = { token: TOKEN, outputLimitBytes: 1024, timeLimitMs: 60_000, hasOutputs: true };
const BATCH = {
  root: PLACE.root,
  daemonId: PLACE.daemonId,
  batch: 'b1',
  tasks: [TASK],
  pilot: false,
};
const PILOT = { ...BATCH, pilot: true, walltimeMs: 3_600_000 };
const JOBS = [
  { id: '12', name: 'towline-b1' },
  { id: '13_4', name: 'towline-b2' },
];

const submit = (batch: typeof PILOT | typeof BATCH): string =>
  submitText({
    ...{ ...batch, nonce: 'n1', variables: SLURM.variables, idLine: SLURM.idLine },
    ...{ setup: SLURM.setup, unset: SLURM.unset, timeoutS: 60 },
    command: ['sbatch', "--comment=it's", 'job.sh'],
  });

export const JOB_TEXTS: Readonly<Record<string, string>> = {
  job: jobScript(BATCH, SLURM.variables),
  'job-pilot': jobScript(PILOT, SLURM.variables),
  'job-submit': submit(BATCH),
  'job-submit-pilot': submit(PILOT),
  'launch-as-job': launchText(aLaunch({ asJob: true })),
  'cancel-as-job': cancelText({
    ...{ ...PLACE, nonce: 'n2', graceMs: 10_000, mvNoTarget: true, asJob: true },
  }),
  'slurm-queue': SLURM.queueText(),
  'slurm-detail': SLURM.detailText(JOBS),
  'slurm-find': SLURM.findText(JOBS.map(({ name }) => name)),
  'slurm-cancel': SLURM.cancelText(JOBS.map(({ id }) => id)),
  'slurm-usage': SLURM.usageText(JOBS.map(({ id }) => id)),
  'slurm-within': SLURM.withinText(JOBS[1] ?? { id: '', name: '' }, "echo 'it'", true),
};
