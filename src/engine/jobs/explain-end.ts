/**
 * What the end of a job means for the attempt in it. Pure. The exit record decides where the command came to an end of
 * its own; where something ended it, the scheduler says what: a command that is told to stop may well end with 0.
 */
import type { ErrorCode } from '../../domain/error-registry.ts';
import { AppError } from '../../domain/failure.ts';
import type { ExitRecord, JobRecord } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import type { JobEnd, JobSight } from '../../scheduler/scheduler.ts';

/** True when the record alone does not say why the command ended. */
export function wantsExplaining(exit: ExitRecord): boolean {
  if (exit.limit === 'job') return true;
  if (exit.limit !== undefined) return false;
  return exit.code === undefined || exit.code > 128;
}

/** Why the scheduler no longer runs a job that was running: it ended, or waits to be run again. */
export function endOf(sight: JobSight): JobEnd | undefined {
  if (sight.kind === 'ended') return sight.end;
  if (sight.kind === 'pending') return { why: 'requeued', state: 'PENDING', reason: sight.reason };
  return undefined;
}

export type Explained =
  /** The command was ended at a limit of the job. */
  | { kind: 'limit'; limit: 'time' | 'memory' }
  /** The attempt is dead by no fault of the command's. */
  | { kind: 'died'; failure: AppError }
  /** The scheduler has nothing to add. */
  | { kind: 'as-recorded' };

const DIED: Partial<Record<JobEnd['why'], [code: ErrorCode, why: string]>> = {
  'node-failed': ['SLURM_NODE_FAIL', 'its compute node failed'],
  preempted: ['SLURM_PREEMPTED', 'it had to give way to another job'],
  'boot-failed': ['SLURM_BOOT_FAIL', 'its compute node did not come up'],
  deadline: ['SLURM_DEADLINE', 'it could not end before its deadline'],
  cancelled: ['SLURM_CANCELLED', 'somebody else cancelled it'],
  requeued: ['SLURM_REQUEUED', 'it was ended to be run again'],
};

interface DeadAttempt {
  task: Task;
  attempt: number;
  host: string;
  job: JobRecord;
  /** The name of the scheduler. */
  title: string;
}

/** Explains an attempt whose command did not end by itself, or left no record. */
export function explainEnd(
  { task, attempt, host, job, title }: DeadAttempt,
  end: JobEnd | undefined,
  exit: ExitRecord | undefined,
): Explained {
  // a pilot at its walltime ends what it runs, which may have had time left
  if (end?.why === 'time-limit' && job.pilot !== true) return { kind: 'limit', limit: 'time' };
  if (end?.why === 'out-of-memory') return { kind: 'limit', limit: 'memory' };
  const context = { host, task: task.id, attempt, job: job.id };
  const died = end === undefined ? undefined : DIED[end.why];
  if (died !== undefined && end !== undefined) {
    const [code, why] = died;
    const text = `job ${job.id} of task ${task.id} on ${host}: ${why} (${toldBy(end)})`;
    return { kind: 'died', failure: new AppError(code, text, { context }) };
  }
  if (exit !== undefined && exit.limit !== 'job') return { kind: 'as-recorded' };
  const said = end === undefined ? `${title} does not say why` : toldBy(end);
  const what =
    end?.why === 'time-limit'
      ? `its pilot, job ${job.id} on ${host}, reached its walltime`
      : `its job ${job.id} on ${host} ended it or left no exit record`;
  const text = `attempt ${attempt} of task ${task.id} is dead: ${what} (${said})`;
  return { kind: 'died', failure: new AppError('TASK_INTERRUPTED', text, { context }) };
}

/** In the scheduler's own words. */
export function toldBy({ state, exitCode, reason }: JobEnd): string {
  const more = [exitCode === undefined ? undefined : `exit ${exitCode}`, reason];
  return [state, ...more.filter((word) => word !== undefined)].join(', ');
}
