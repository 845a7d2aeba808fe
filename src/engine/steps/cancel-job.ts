/**
 * Ends an attempt that a job runs or is to run: takes its ticket, then has the scheduler end the job, and is done when
 * the scheduler no longer has it. Of a pilot only this attempt is ended; the others in it go on.
 */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError } from '../../domain/failure.ts';
import type { JobRecord } from '../../domain/state.ts';
import { attemptToken } from '../../domain/task.ts';
import type { JobRef, JobSight } from '../../scheduler/scheduler.ts';
import type { CancelReply } from '../../script/cancel.ts';
import { batchDir } from '../../script/job.ts';
import type { NotedJob } from '../../script/noted-job.ts';
import type { Spool } from '../../spool/spool.ts';
import type { StepContext } from '../dispatcher.ts';
import { seal, storedExit } from '../exit-news.ts';
import type { SeatWithJobs } from '../jobs/host-jobs.ts';
import type { JobWatch } from '../jobs/job-watch.ts';
import type { Submitter } from '../jobs/submitter.ts';
import type { Watchers } from '../watchers.ts';

export interface CancelJobDeps {
  daemonId: string;
  watchers: Watchers;
  jobWatch: JobWatch;
  submitter: Submitter;
  spool: Spool;
}

export interface JobToEnd {
  seat: SeatWithJobs;
  context: StepContext;
  root: string;
  /** What the host said when it was asked to end the attempt, and in which job it is by its files. */
  reply: CancelReply;
  noted: NotedJob | undefined;
}

/** @throws SLURM_UNAVAILABLE while the scheduler cannot be asked; what the host said */
export async function cancelJob(deps: CancelJobDeps, one: JobToEnd): Promise<NewsEvent> {
  const { context, reply } = one;
  if (reply.kind === 'failed') throw reply.error;
  const job = await jobOf(deps, one);
  if (job !== undefined && !('pilot' in job && job.pilot)) await endJob(deps, one, job);
  else if (reply.kind === 'in-job') await untilEnded(deps, one, job);
  const exit = reply.kind === 'cancelled-before-start' ? undefined : await lastLook(deps, one);
  return { kind: 'gone', attempt: context.attempt, exit };
}

type Known = JobRef & { pilot?: boolean | undefined };

/** As the state has it, else by the files on the host, else by its name; undefined: none was submitted. */
async function jobOf(deps: CancelJobDeps, one: JobToEnd): Promise<Known | undefined> {
  const { seat, context, noted } = one;
  const known = stateJob(context);
  if (known !== undefined) return known;
  if (noted === undefined) return undefined;
  const { scheduler, timeoutMs } = seat.jobs;
  const name = scheduler.jobName(noted.batch);
  const base = noted.id ?? (await find(one, name, timeoutMs));
  if (base === undefined) return undefined;
  const place = { root: one.root, daemonId: deps.daemonId, batch: noted.batch };
  const command = (await seat.host.readRange(`${batchDir(place)}/command`, 0, 65_536)).toString();
  const id = command.includes('--array=') ? `${base}_${noted.index}` : base;
  return { id, name, pilot: noted.pilot };
}

function stateJob({ task: { state } }: StepContext): JobRecord | undefined {
  return state.kind === 'cancelling' ? state.launch?.job : undefined;
}

/** @throws SLURM_UNAVAILABLE */
async function find({ seat, context }: JobToEnd, name: string, timeoutMs: number) {
  const { scheduler } = seat.jobs;
  const reply = await seat.host.run(scheduler.findText([name]), {
    ...{ purpose: `looking for job ${name}`, lane: 'slow', deadlineMs: timeoutMs * 2 + 30_000 },
    signal: context.signal,
  });
  const found = scheduler.parseFind(reply.output);
  if (found !== undefined) return found.get(name)?.[0];
  const why = `whether ${seat.jobs.scheduler.title} on ${seat.name} has job ${name} cannot be seen just now`;
  throw new AppError('SLURM_UNAVAILABLE', why, { context: { host: seat.name } });
}

/** A scheduler that took no notice is asked once more. */
const ASK_AGAIN_MS = 60_000;

/** Resolves when the scheduler no longer has it; what keeps it from saying so is told. */
async function endJob({ jobWatch }: CancelJobDeps, one: JobToEnd, job: JobRef): Promise<void> {
  const { seat, context } = one;
  const tell = (sight: JobSight): void => {
    void context.trouble(unseen(sight, job, seat.name)).catch(() => {});
  };
  for (;;) {
    await askToEnd(one, job);
    const askAgainAt = performance.now() + ASK_AGAIN_MS;
    const isOver = ({ kind }: JobSight): boolean => kind === 'ended' || kind === 'denied';
    const sight = await jobWatch.watch(
      seat,
      { job, signal: context.signal, tell, soon: true },
      (seen) => isOver(seen) || performance.now() >= askAgainAt,
    );
    if (isOver(sight)) return;
  }
}

function unseen(sight: JobSight, job: JobRef, host: string): AppError | undefined {
  if (sight.kind !== 'unknown') return undefined;
  const text = `whether job ${job.id} has ended cannot be seen just now: ${sight.why}`;
  return new AppError('SLURM_UNAVAILABLE', text, { context: { host, job: job.id } });
}

/** @throws SLURM_UNAVAILABLE */
async function askToEnd({ seat, context }: JobToEnd, job: JobRef): Promise<void> {
  const { scheduler, timeoutMs } = seat.jobs;
  const asked = await seat.host.run(scheduler.cancelText([job.id]), {
    ...{ purpose: `ending job ${job.id}`, lane: 'slow', deadlineMs: timeoutMs + 30_000 },
    signal: context.signal,
  });
  const trouble = scheduler.parseCancel(asked.output, seat.name);
  if (trouble !== undefined) throw trouble;
}

/** Whoever runs it was told by a mark; a pilot that is over runs nothing. */
async function untilEnded(
  { watchers, jobWatch }: CancelJobDeps,
  one: JobToEnd,
  job: JobRef | undefined,
): Promise<void> {
  const { seat, context } = one;
  const leave = new AbortController();
  const signal = AbortSignal.any([context.signal, leave.signal]);
  const record = watchers.watch(
    seat,
    { ...requestOf(one), signal },
    ({ verdict }) => verdict.kind === 'exited' || verdict.kind === 'cancelled',
  );
  const over =
    job === undefined
      ? record
      : jobWatch.watch(seat, { job, signal }, ({ kind }) => kind === 'ended');
  try {
    await Promise.race([record, over]);
  } finally {
    leave.abort(new Error('over'));
    await Promise.allSettled([record, over]);
  }
}

/** What it had printed is kept, and its record if it left one. */
async function lastLook({ watchers, spool }: CancelJobDeps, one: JobToEnd) {
  const { verdict } = await watchers.watch(one.seat, requestOf(one), () => true);
  await seal(spool, requestOf(one).token);
  return verdict.kind === 'exited' ? storedExit(verdict.exit) : undefined;
}

function requestOf({ seat, root, context }: JobToEnd) {
  const { task, attempt, signal, trouble } = context;
  const token = attemptToken(task.id, attempt);
  const launch = task.state.kind === 'cancelling' ? task.state.launch : undefined;
  return { token, dir: seat.attemptDir(root, token), launch, signal, trouble };
}
