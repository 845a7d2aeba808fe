/**
 * Launches an attempt as a job: publishes it, has it submitted, and waits until a job takes its ticket. A job that
 * ended without taking it is followed by another one: the ticket decides that the attempt starts once, however many
 * jobs there were.
 */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError, toAppError } from '../../domain/failure.ts';
import type { JobRecord } from '../../domain/state.ts';
import type { JobEnd, JobSight } from '../../scheduler/scheduler.ts';
import { batchDir } from '../../script/job.ts';
import type { LaunchReply } from '../../script/launch-reply.ts';
import type { NotedJob } from '../../script/noted-job.ts';
import type { StepContext } from '../dispatcher.ts';
import { toldBy } from '../jobs/explain-end.ts';
import type { SeatWithJobs } from '../jobs/host-jobs.ts';
import type { JobWatch } from '../jobs/job-watch.ts';
import type { Submitter, Wanted } from '../jobs/submitter.ts';
import { sleep } from '../sleep.ts';
import type { WatchRequest } from '../watched.ts';
import type { Watchers } from '../watchers.ts';

export interface JobDeps {
  daemonId: string;
  watchers: Watchers;
  jobWatch: JobWatch;
  submitter: Submitter;
  now: () => number;
  pause?: typeof sleep;
}

export interface JobLaunch {
  seat: SeatWithJobs;
  context: StepContext;
  wanted: Wanted;
  dir: string;
  /** Publishes it if it is not, and tells how it stands. */
  publish: (lane: 'quick' | 'slow') => Promise<LaunchReply>;
  newsOf: (reply: LaunchReply, job: JobRecord | undefined) => NewsEvent;
}

/** Between two questions for a job whose submit was not answered, and how often it must not be known. */
const LOST = { pauseMs: 5_000, times: 2 };
/** Another estimate of when it starts is told so often. */
const ESTIMATES_MS = 60_000;
/** Between two jobs of which the first ended without starting the attempt. */
const AGAIN = { firstMs: 1_000, capMs: 600_000 };

/** Gives what the host says of its start, or why it cannot. */
export async function launchAsJob(deps: JobDeps, launch: JobLaunch): Promise<NewsEvent> {
  try {
    return await untilLaunched(deps, launch);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== 'SLURM_REFUSED') throw error;
    // the same job would be refused again
    const { task, attempt } = launch.context;
    return { kind: 'step-failed', attempt, failure: error.in({ task: task.id }).toRecord() };
  }
}

async function untilLaunched(deps: JobDeps, launch: JobLaunch): Promise<NewsEvent> {
  const { context, newsOf } = launch;
  const { state } = context.task;
  let known = state.kind === 'launching' ? state.job : undefined;
  const over = new Set<string>();
  for (let tries = 0; ; ) {
    const job = known ?? (await getJob(deps, launch, over));
    if ('reply' in job) return newsOf(job.reply, await startedBy(deps, launch, job.reply));
    known = job;
    const end = await untilStarted(deps, launch, job);
    const reply = await launch.publish('quick');
    if (reply.kind !== 'published') return newsOf(reply, job);
    if (end === undefined) continue;
    over.add(job.batch);
    const failure = refusedBy(end, job, launch);
    if (failure !== undefined) return failure;
    if (job.pilot !== true) {
      tries += 1;
      await rest(deps, launch, { job, end, tries });
    }
    known = undefined;
  }
}

type Known = JobRecord | { reply: LaunchReply };

/** The job it is in: known on the host, found by its name, or a new one. */
async function getJob(deps: JobDeps, launch: JobLaunch, over: Set<string>): Promise<Known> {
  const { seat, context, wanted } = launch;
  const arrived = deps.submitter.expect(seat);
  try {
    const reply = await deps.submitter.publish(seat, () => {
      context.signal.throwIfAborted();
      // beside others: it waits for the host's disk, for which several wait together
      return launch.publish('slow');
    });
    if (reply.kind !== 'published') return { reply };
    const noted = reply.job;
    const isNew = noted === undefined || over.has(noted.batch);
    const known = isNew ? undefined : await adopt(deps, launch, noted);
    const submitted = known ?? deps.submitter.submit(seat, wanted, context.signal);
    arrived();
    const job = await orAbort(Promise.resolve(submitted), context.signal);
    await context.tell({ kind: 'job-submitted', attempt: context.attempt, job });
    return job;
  } finally {
    arrived();
  }
}

/** It had started before anybody here knew its job: what runs it is in its files. */
async function startedBy(
  deps: JobDeps,
  launch: JobLaunch,
  reply: LaunchReply,
): Promise<JobRecord | undefined> {
  if (reply.kind !== 'launched' || reply.job === undefined) return undefined;
  return adopt(deps, launch, reply.job);
}

/** A job whose submit was told to nobody, or to a daemon that is gone; undefined: there is none. */
async function adopt(
  deps: JobDeps,
  { seat, context, wanted }: JobLaunch,
  noted: NotedJob,
): Promise<JobRecord | undefined> {
  const { scheduler } = seat.jobs;
  const name = scheduler.jobName(noted.batch);
  const id = noted.id ?? (await find(deps, { seat, context, name }));
  if (id === undefined) return undefined;
  const place = { root: wanted.root, daemonId: deps.daemonId, batch: noted.batch };
  const text = await readCommand(seat, `${batchDir(place)}/command`);
  return {
    id: text.includes('--array=') ? `${id}_${noted.index}` : id,
    ...{ name, batch: noted.batch, index: noted.index },
    ...(noted.pilot && { pilot: true as const }),
    ...{ command: text.trim(), submittedAt: deps.now() },
  };
}

async function readCommand({ host }: SeatWithJobs, path: string): Promise<string> {
  return (await host.readRange(path, 0, 64 * 1024)).toString();
}

/** Asks queue and history by the name; that neither knows it must be said twice. @throws SLURM_UNAVAILABLE */
async function find(
  { pause = sleep }: JobDeps,
  { seat, context, name }: { seat: SeatWithJobs; context: StepContext; name: string },
): Promise<string | undefined> {
  const { scheduler, timeoutMs } = seat.jobs;
  for (let times = 1; ; times += 1) {
    const reply = await seat.host.run(scheduler.findText([name]), {
      ...{ purpose: `looking for job ${name}`, lane: 'slow', deadlineMs: timeoutMs * 2 + 30_000 },
      signal: context.signal,
    });
    const found = scheduler.parseFind(reply.output);
    if (found === undefined) {
      const why = `whether ${scheduler.title} on ${seat.name} took job ${name} cannot be seen just now`;
      throw new AppError('SLURM_UNAVAILABLE', why, { context: { host: seat.name } });
    }
    const [id] = found.get(name) ?? [];
    if (id !== undefined || times >= LOST.times) return id;
    await pause(LOST.pauseMs, context.signal);
    context.signal.throwIfAborted();
  }
}

/** Resolves when the ticket is no longer there, or with the end of the job. @throws the signal's reason */
async function untilStarted(
  { watchers, jobWatch, now }: JobDeps,
  { seat, context, dir, wanted }: JobLaunch,
  job: JobRecord,
): Promise<JobEnd | undefined> {
  const leave = new AbortController();
  const signal = AbortSignal.any([context.signal, leave.signal]);
  let waits: AppError | undefined;
  const say = (error: AppError | undefined): Promise<void> => context.trouble(error ?? waits);
  let isQueued = false;
  let reason = '';
  let saidAt = 0;
  const tell = (sight: JobSight): void => {
    isQueued = sight.kind === 'pending';
    waits = waitsFor(sight, job, seat.name);
    // an estimate may be another one each time
    const isNews = reason !== reasonOf(sight) || now() - saidAt >= ESTIMATES_MS;
    if (!isNews) return;
    reason = reasonOf(sight);
    saidAt = now();
    void say(undefined).catch(() => {});
  };
  const request: WatchRequest = {
    ...{ token: wanted.task.token, dir, signal, trouble: say },
    isQueued: () => isQueued,
  };
  const started = watchers.watch(
    seat,
    request,
    ({ verdict: { kind } }) => kind !== 'not-started' && kind !== 'unknown',
  );
  const ended = jobWatch.watch(seat, { job, signal, tell }, ({ kind }) => kind === 'ended');
  try {
    const first = await Promise.race([started.then(() => undefined), ended]);
    return first?.kind === 'ended' ? first.end : undefined;
  } finally {
    leave.abort(new Error('over'));
    await Promise.allSettled([started, ended]);
    await context.trouble(undefined).catch(() => {});
  }
}

/** Without what may change by the minute. */
function reasonOf(sight: JobSight): string {
  return sight.kind === 'pending' ? `pending ${sight.reason}` : JSON.stringify(sight);
}

/** What the user reads while it waits. */
function waitsFor(sight: JobSight, job: JobRecord, host: string): AppError | undefined {
  const context = { host, job: job.id };
  if (sight.kind === 'pending') {
    const start = sight.startsAt === undefined ? '' : `, expected to start at ${sight.startsAt}`;
    return new AppError('SLURM_PENDING', `job ${job.id} waits: ${sight.reason}${start}`, {
      context,
    });
  }
  if (sight.kind !== 'unknown' && sight.kind !== 'denied') return undefined;
  const text = `where job ${job.id} stands cannot be seen just now: ${sight.why}`;
  return new AppError('SLURM_UNAVAILABLE', text, { context });
}

/** Ends that somebody wanted: no other job follows. */
function refusedBy(
  end: JobEnd,
  job: JobRecord,
  { seat, context: { task, attempt } }: JobLaunch,
): NewsEvent | undefined {
  const code =
    end.why === 'cancelled'
      ? 'SLURM_CANCELLED'
      : end.why === 'deadline'
        ? 'SLURM_DEADLINE'
        : undefined;
  if (code === undefined) return undefined;
  const what =
    code === 'SLURM_CANCELLED' ? 'was cancelled by somebody else' : 'passed its deadline';
  const text = `job ${job.id} of task ${task.id} on ${seat.name} ${what} before it had started it (${toldBy(end)})`;
  const context = { host: seat.name, task: task.id, job: job.id };
  return {
    kind: 'step-failed',
    attempt,
    failure: new AppError(code, text, { context }).toRecord(),
  };
}

async function rest(
  deps: JobDeps,
  { seat, context, wanted }: JobLaunch,
  { job, end, tries }: { job: JobRecord; end: JobEnd; tries: number },
): Promise<void> {
  const words = await lastWords(deps, { seat, wanted }, job);
  const text = `job ${job.id} ended (${toldBy(end)}) before it had started the attempt${words}; it is submitted again`;
  await context.trouble(
    new AppError('SLURM_NOT_STARTED', text, { context: { host: seat.name, job: job.id } }),
  );
  await (deps.pause ?? sleep)(
    Math.min(AGAIN.capMs, AGAIN.firstMs * 2 ** (tries - 1)),
    context.signal,
  );
  context.signal.throwIfAborted();
  await context.trouble(undefined);
}

/** What the job's own log says, if there is one. */
async function lastWords(
  { daemonId }: JobDeps,
  { seat, wanted }: Pick<JobLaunch, 'seat' | 'wanted'>,
  { batch, id, index }: JobRecord,
): Promise<string> {
  const dir = batchDir({ root: wanted.root, daemonId, batch });
  const log = `${dir}/${id.includes('_') ? `log-${index}` : 'log'}`;
  const bytes = await seat.host.readRange(log, 0, 4_096).catch(() => Buffer.alloc(0));
  const said = bytes.toString().trim().split('\n').at(-1) ?? '';
  return said === '' ? '' : `: ${said.slice(-300)}`;
}

function orAbort<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(toAppError(signal.reason));
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
