/**
 * Follows a running attempt that a job runs: its files as any other's, and beside them the scheduler, which knows
 * whether the job lives. The exit record decides; where something else than the command itself made its end, the
 * scheduler is asked what.
 */
import type { NewsEvent } from '../../domain/events.ts';
import type { ExitRecord, JobRecord, LaunchRecord } from '../../domain/state.ts';
import { attemptToken } from '../../domain/task.ts';
import type { JobEnd, JobSight } from '../../scheduler/scheduler.ts';
import type { SalvagedExit } from '../../script/records.ts';
import { parseSalvage, salvageText } from '../../script/sweep.ts';
import type { Spool } from '../../spool/spool.ts';
import type { StepContext } from '../dispatcher.ts';
import { exitNews, seal } from '../exit-news.ts';
import { endOf, explainEnd, wantsExplaining } from '../jobs/explain-end.ts';
import type { SeatWithJobs } from '../jobs/host-jobs.ts';
import type { AskUsage } from '../jobs/job-usage.ts';
import type { JobWatch } from '../jobs/job-watch.ts';
import { lookAgain, patienceMs } from '../late-files.ts';
import { sleep } from '../sleep.ts';
import type { Seen, WatchRequest } from '../watched.ts';
import type { Watchers } from '../watchers.ts';

export interface WatchJobDeps {
  watchers: Watchers;
  jobWatch: JobWatch;
  askUsage: AskUsage;
  spool: Spool;
  now: () => number;
  pause?: typeof sleep;
}

export interface JobOfAttempt {
  seat: SeatWithJobs;
  context: StepContext;
  launch: LaunchRecord & { job: JobRecord };
  /** Fetches the streams up to what the record counts. */
  awaitStreams: (exit: ExitRecord, request: WatchRequest) => Promise<void>;
  isEnd: (seen: Seen) => boolean;
}

/** How long the scheduler is asked why a command ended that did not end by itself. */
const EXPLAIN_MS = 90_000;

/** Gives the news of its end. @throws the signal's reason */
export async function watchJob(deps: WatchJobDeps, one: JobOfAttempt): Promise<NewsEvent> {
  const { seat, context, launch } = one;
  const { signal, trouble } = context;
  const token = attemptToken(context.task.id, context.attempt);
  const dir = seat.attemptDir(launch.root, token);
  const request: WatchRequest = { token, dir, launch, signal, trouble };
  const first = await firstEnd(deps, one, request);
  const exit = first.exit ?? (await lateExit(deps, one, request));
  if (exit !== undefined) await one.awaitStreams(exit, request);
  // what it printed at the end, when nothing counts it
  else await deps.watchers.watch(seat, request, () => true);
  const end = first.end ?? (await whyEnded(deps, one, exit));
  const counted = exit && (await withUsage(deps, one, exit));
  return newsOf(deps, one, { exit: counted, end });
}

interface Ends {
  exit?: SalvagedExit | undefined;
  end?: JobEnd | undefined;
}

/** Whatever is seen first: the exit record, or that the job is over. */
async function firstEnd(
  { watchers, jobWatch }: WatchJobDeps,
  { seat, launch, isEnd }: JobOfAttempt,
  request: WatchRequest,
): Promise<Ends> {
  const leave = new AbortController();
  const signal = AbortSignal.any([request.signal, leave.signal]);
  const record = watchers.watch(seat, { ...request, signal }, isEnd);
  const job = jobWatch.watch(seat, { job: launch.job, signal }, isOver());
  try {
    return await Promise.race([
      record.then(({ verdict }) => (verdict.kind === 'exited' ? { exit: verdict.exit } : {})),
      job.then((sight) => ({ end: endOf(sight) })),
    ]);
  } finally {
    leave.abort(new Error('over'));
    await Promise.allSettled([record, job]);
  }
}

/** It has started, so a job that waits again is one that was ended; one such word may be from before its start. */
function isOver(): (sight: JobSight) => boolean {
  let waiting = 0;
  return ({ kind }) => {
    waiting = kind === 'pending' ? waiting + 1 : 0;
    return kind === 'ended' || waiting >= 2;
  };
}

/** The record of a job that is over, which its machine may have written a moment ago; else what is left of one. */
async function lateExit(
  { watchers, pause = sleep }: WatchJobDeps,
  { seat, launch, context: { signal } }: JobOfAttempt,
  request: WatchRequest,
): Promise<SalvagedExit | undefined> {
  const patience = { patienceMs: patienceMs(seat.knownFacts()?.rootFsType), pause, signal };
  const look = async (): Promise<SalvagedExit | undefined> => {
    const { verdict } = await watchers.watch(seat, request, () => true);
    return verdict.kind === 'exited' ? verdict.exit : undefined;
  };
  const exit = await lookAgain(patience, look, (found) => found === undefined);
  if (exit !== undefined) return exit;
  const reply = await seat.host.run(salvageText({ dir: request.dir, nonce: launch.nonce }), {
    purpose: `reading what ${request.token} left`,
    signal,
  });
  return parseSalvage(reply.output);
}

/** Undefined where the record says it all, or the scheduler says nothing in time. */
async function whyEnded(
  { jobWatch }: WatchJobDeps,
  { seat, launch, context }: JobOfAttempt,
  exit: SalvagedExit | undefined,
): Promise<JobEnd | undefined> {
  if (exit !== undefined && !wantsExplaining(exit)) return undefined;
  // the job of a pilot runs on: it has nothing to do with how one of its attempts ended
  if (launch.job.pilot === true && exit !== undefined && exit.limit !== 'job') return undefined;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(EXPLAIN_MS)]);
  return jobWatch
    .watch(seat, { job: launch.job, signal, soon: true }, isOver())
    .then(endOf, (error: unknown) => {
      if (context.signal.aborted) throw error;
      return undefined;
    });
}

/** What the record does not know and the accounts do; of a pilot they tell only what all of it used. */
async function withUsage(
  { askUsage }: WatchJobDeps,
  { seat, launch: { job } }: JobOfAttempt,
  exit: SalvagedExit,
): Promise<SalvagedExit> {
  const { usage } = exit;
  if (job.pilot === true || usage === undefined || usage.maxRssBytes !== undefined) return exit;
  const used = await askUsage(seat, job);
  return used === undefined ? exit : { ...exit, usage: { ...usage, ...used } };
}

async function newsOf(
  { spool, now }: WatchJobDeps,
  { seat, context: { task, attempt }, launch: { job } }: JobOfAttempt,
  { exit, end }: Ends,
): Promise<NewsEvent> {
  const bytes = await seal(spool, attemptToken(task.id, attempt));
  const where = { task, attempt, host: seat.name, bytes, now: now() };
  const plain = exit !== undefined && !wantsExplaining(exit);
  const explained = plain
    ? ({ kind: 'as-recorded' } as const)
    : explainEnd({ ...where, job, title: seat.jobs.scheduler.title }, end, exit);
  if (explained.kind === 'died')
    return { kind: 'died', attempt, failure: explained.failure.toRecord() };
  const recorded = exit ?? {
    runtimeCode: 0,
    ...{ stdoutBytes: bytes.stdout, stderrBytes: bytes.stderr, finishedAt: now(), salvaged: true },
  };
  if (explained.kind === 'as-recorded') return exitNews(where, recorded);
  return exitNews(where, { ...recorded, limit: explained.limit });
}
