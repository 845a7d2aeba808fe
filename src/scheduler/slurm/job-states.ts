/** Slurm's states of a job as sights (job_state_string of slurm_protocol_defs.c; `sacct` appends "by UID" and "+"). */
import type { JobEnd, JobSight } from '../scheduler.ts';

const ENDS: Readonly<Record<string, JobEnd['why']>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMEOUT: 'time-limit',
  OUT_OF_MEMORY: 'out-of-memory',
  NODE_FAIL: 'node-failed',
  PREEMPTED: 'preempted',
  BOOT_FAIL: 'boot-failed',
  DEADLINE: 'deadline',
  CANCELLED: 'cancelled',
  REVOKED: 'cancelled',
  LAUNCH_FAILED: 'node-failed',
  RECONFIG_FAIL: 'node-failed',
};

const PENDING = [
  'PENDING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'SPECIAL_EXIT',
  'RESV_DEL_HOLD',
];

const RUNNING = [
  'RUNNING',
  'COMPLETING',
  'CONFIGURING',
  'SUSPENDED',
  'STOPPED',
  'SIGNALING',
  'STAGE_OUT',
  'RESIZING',
  'POWER_UP_NODE',
  'EXPEDITING',
  'UPDATE_DB',
];

export interface ToldState {
  state: string;
  reason?: string | undefined;
  startsAt?: string | undefined;
  node?: string | undefined;
  exitCode?: string | undefined;
}

/** What a state means; a word that is not known means nothing. */
export function sightOf({ state: told, reason, startsAt, node, exitCode }: ToldState): JobSight {
  const state = told.split(/[ +,]/)[0]?.toUpperCase() ?? '';
  const why = ENDS[state];
  if (why !== undefined) {
    const exit = exitCode === undefined || exitCode === '' ? {} : { exitCode };
    return { kind: 'ended', end: { why, state, ...exit, ...said(reason) } };
  }
  if (PENDING.includes(state))
    return { kind: 'pending', reason: said(reason).reason ?? state, ...startOf(startsAt) };
  if (RUNNING.includes(state)) return { kind: 'running', ...nodeOf(node) };
  return { kind: 'unknown', why: `a state that is not known: ${JSON.stringify(told)}` };
}

function said(reason: string | undefined): { reason?: string } {
  return reason === undefined || ['', 'None', '(null)'].includes(reason) ? {} : { reason };
}

function startOf(at: string | undefined): { startsAt?: string } {
  return at === undefined || !/^\d{4}-/.test(at) ? {} : { startsAt: at };
}

function nodeOf(node: string | undefined): { node?: string } {
  return node === undefined || node === '' || node === '(null)' ? {} : { node };
}
