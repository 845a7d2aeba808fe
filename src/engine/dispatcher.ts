/**
 * Carries out what was ordered: one job per order, each a step that can run twice. A job whose order
 * is no longer wanted is aborted; one that failed for a passing reason waits and is tried again,
 * at once when its host comes back.
 */
import { backoffMs } from '../domain/backoff.ts';
import type { Effect } from '../domain/effects.ts';
import type { NewsEvent } from '../domain/events.ts';
import { AppError, toAppError } from '../domain/failure.ts';
import type { Task, TaskId } from '../domain/task.ts';
import { between } from '../fault.ts';
import { createHostLines } from './host-lines.ts';
import type { Ledger } from './ledger.ts';
import type { Logger } from './logger.ts';
import { whereIs } from './where.ts';

export interface StepContext {
  task: Task;
  attempt: number;
  signal: AbortSignal;
  /** The step cannot go on just now but has not failed: tells why, or that it goes on again. */
  trouble: (error: AppError | undefined) => Promise<void>;
  /** News on the way, before the event that ends the step. */
  tell: (event: NewsEvent) => Promise<void>;
}

/** Carries out one order and says what came of it. */
export type Step = (context: StepContext) => Promise<NewsEvent>;

export interface Dispatcher {
  /** Makes the running jobs those that are ordered. */
  sync(id: TaskId, orders: readonly Effect[]): void;
  /** Tries again now what waits for a host. */
  wakeHost(host: string): void;
  nextTryAt(id: TaskId): number | undefined;
  /** Aborts all jobs; nothing on the hosts is touched. */
  stop(): Promise<void>;
}

interface Job {
  id: TaskId;
  effect: Effect;
  controller: AbortController;
  tries: number;
  /** How often its host had come back when the try under way began. */
  wakes: number;
  /** The code of the trouble that was told last: the same again is no news. */
  said: string | undefined;
  /** Without a time only its host coming back has it tried again. */
  retry?: Retry | undefined;
}

interface Retry {
  at?: number;
  host: string | undefined;
  timer?: NodeJS.Timeout;
  /** Ends its place in the line of those that wait for the host. */
  leave?: () => void;
}

interface DispatcherDeps {
  ledger: Ledger;
  steps: Record<Effect['kind'], Step>;
  now: () => number;
  random: () => number;
  log: Logger;
}

export const RETRY = { firstMs: 1_000, capMs: 60_000 };
const TRIES_TO_CAP = 6;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  /** By task: there may be ten thousand of them, and each has a few orders at most. */
  const jobs = new Map<TaskId, Map<string, Job>>();
  const running = new Set<Promise<void>>();
  const wakes = new Map<string, number>();
  const lines = createHostLines<Job>(() => backoffMs(TRIES_TO_CAP, RETRY, deps.random()), start);
  let stopped = false;
  const wakesOf = (job: Job): number => wakes.get(hostOfJob(deps, job) ?? '') ?? 0;

  function start(job: Job): void {
    if (stopped) return;
    job.retry = undefined;
    job.wakes = wakesOf(job);
    const host = hostOfJob(deps, job);
    const through = (): void => {
      if (host !== undefined) lines.heard(host).forEach(start);
    };
    const run = carryOut(deps, job, through).then((failure) => {
      running.delete(run);
      if (failure !== undefined && !job.controller.signal.aborted) wait(job, failure);
    });
    running.add(run);
  }

  function wait(job: Job, failure: AppError): void {
    // The host came back while this try was failing: its reason may be gone already.
    const woken = job.wakes !== wakesOf(job);
    if (woken) job.tries = 0;
    const host = hostOfJob(deps, job);
    if (host !== undefined && isHostAway(failure.code) && !woken) lines.lost(host);
    // Whoever resumes the host has it tried; ten thousand tasks need not ask every minute.
    const resting = failure.code === 'HOST_PAUSED' && !woken;
    job.retry = resting ? { host } : { host, ...again(deps, job, start) };
    tellWait(deps, job, failure);
  }

  function begin(job: Job): void {
    const host = awaitedHost(deps, job);
    const leave = host === undefined ? undefined : lines.join(host, job);
    if (leave === undefined) start(job);
    else job.retry = { host, leave };
  }

  return {
    sync(id, orders) {
      const wanted = new Map(orders.map((effect) => [keyOf(effect), effect]));
      const old = jobs.get(id);
      const current = new Map<string, Job>();
      for (const [key, effect] of wanted)
        current.set(key, old?.get(key) ?? newJob(deps, id, effect));
      if (current.size === 0) jobs.delete(id);
      else jobs.set(id, current);
      for (const [key, job] of old ?? []) if (!current.has(key)) end(job);
      for (const [key, job] of current) if (!old?.has(key)) begin(job);
    },
    wakeHost(host) {
      wakes.set(host, (wakes.get(host) ?? 0) + 1);
      lines.heard(host);
      for (const job of allOf(jobs)) {
        if (job.retry?.host !== host) continue;
        clearTimeout(job.retry.timer);
        job.tries = 0;
        start(job);
      }
    },
    nextTryAt: (id) => [...(jobs.get(id)?.values() ?? [])].find((job) => job.retry)?.retry?.at,
    async stop() {
      stopped = true;
      const reason = new AppError('DAEMON_STOPPING', 'the daemon is stopping');
      lines.stop();
      for (const job of allOf(jobs)) end(job, reason);
      jobs.clear();
      await Promise.allSettled(running);
    },
  };
}

/**
 * The host that a new job was waiting for when the last daemon ended. Not all need be tried to learn
 * that it is still away: the first one asks, and its coming back wakes the others.
 */
function awaitedHost(deps: DispatcherDeps, job: Job): string | undefined {
  return job.said !== undefined && isHostAway(job.said) ? hostOfJob(deps, job) : undefined;
}

/** None for what is done here, whatever the host does. */
function hostOfJob({ ledger }: DispatcherDeps, { id, effect }: Job): string | undefined {
  if (effect.kind === 'finish') return undefined;
  return hostOf(ledger.get(id), effect.attempt);
}

function end(job: Job, reason?: AppError): void {
  job.retry?.leave?.();
  clearTimeout(job.retry?.timer);
  job.controller.abort(reason);
}

function again(
  { now, random }: DispatcherDeps,
  job: Job,
  start: (job: Job) => void,
): { at: number; timer: NodeJS.Timeout } {
  const delay = backoffMs(job.tries, RETRY, random());
  job.tries += 1;
  return { at: now() + delay, timer: setTimeout(() => start(job), delay) };
}

function allOf(jobs: ReadonlyMap<TaskId, ReadonlyMap<string, Job>>): Job[] {
  return [...jobs.values()].flatMap((ofTask) => [...ofTask.values()]);
}

function newJob({ ledger }: DispatcherDeps, id: TaskId, effect: Effect): Job {
  const state = ledger.get(id)?.state;
  const said = state !== undefined && 'blocked' in state ? state.blocked?.reason : undefined;
  return { id, effect, controller: new AbortController(), tries: 0, wakes: 0, said };
}

/** The same trouble once more is told to those only who look closely. */
function tellWait({ log }: DispatcherDeps, job: Job, failure: AppError): void {
  const level = job.said === failure.code ? 'debug' : 'info';
  job.said = failure.code;
  const next = job.retry?.at === undefined ? {} : { nextTryAt: job.retry.at };
  log[level]({ task: job.id, step: job.effect.kind, code: failure.code, ...next }, failure.message);
}

/**
 * Runs the step and commits what came of it; gives back why it must be tried again, if it must.
 * Calls `through` when the step came to an end in which the link has no part.
 */
async function carryOut(
  deps: DispatcherDeps,
  job: Job,
  through: () => void,
): Promise<AppError | undefined> {
  const { ledger, steps } = deps;
  const { signal } = job.controller;
  const { attempt, kind } = job.effect;
  const trouble = (error: AppError | undefined) => tellTrouble(deps, job, error);
  try {
    const task = ledger.get(job.id);
    if (task === undefined) return undefined;
    const tell = async (event: NewsEvent) => void (await ledger.apply(job.id, event));
    const context = { task, attempt, signal, trouble, tell };
    const event = await between(kind, () => steps[kind](context));
    if (signal.aborted) return undefined;
    through();
    await ledger.apply(job.id, event);
    return undefined;
  } catch (thrown) {
    if (signal.aborted) return undefined;
    const error = toAppError(thrown).in({
      task: job.id,
      host: hostOf(ledger.get(job.id), attempt),
    });
    if (!isHostAway(error.code)) through();
    if (error.code === 'INTERNAL')
      deps.log.error({ task: job.id, step: kind, err: thrown }, 'a step failed by a bug');
    if (mayPass(error, kind)) {
      await trouble(error).catch((err: unknown) =>
        deps.log.error({ task: job.id, err }, 'cannot note trouble'),
      );
      return error;
    }
    const failure = error.toRecord();
    const event: NewsEvent = { kind: 'step-failed', attempt, failure };
    return await ledger.apply(job.id, event).then(
      () => undefined,
      (err: unknown) => toAppError(err),
    );
  }
}

async function tellTrouble(
  deps: DispatcherDeps,
  job: Job,
  error: AppError | undefined,
): Promise<void> {
  const { attempt } = job.effect;
  if (error === undefined) {
    await deps.ledger.apply(job.id, { kind: 'unblocked', attempt });
    return;
  }
  const place = isOurs(error.code) ? undefined : hostOf(deps.ledger.get(job.id), attempt);
  const host = place ?? 'this machine';
  const { code: reason, message, hint } = error;
  const blocked = { host, reason, message, hint, since: deps.now() };
  await deps.ledger.apply(job.id, { kind: 'blocked', attempt, blocked });
}

/**
 * Trouble with the link is the host's and passes, whoever must mend it. Steps from the launch on
 * never give up by an error of their own: the attempt could be running.
 */
export function mayPass(error: AppError, kind: Effect['kind']): boolean {
  if (error.retry === 'later' || isHostAway(error.code)) return true;
  // Somebody frees it. But to fetch gigabytes again and again for a full disk is no way to wait.
  if (error.code === 'HOST_NO_SPACE') return kind !== 'pull';
  return kind === 'launch' || kind === 'watch' || kind === 'cancel' || kind === 'clean';
}

/** True for trouble that is the link's, the same for all tasks of the host. */
function isHostAway(code: string): boolean {
  return code === 'HOST_PAUSED' || code.startsWith('SSH_');
}

/** True for trouble of the submit host itself. */
function isOurs(code: string): boolean {
  return code.startsWith('STORE_') || code === 'OUTPUT_LOCAL_FULL';
}

function hostOf(task: Task | undefined, attempt: number): string | undefined {
  return task === undefined ? undefined : whereIs(task, attempt).host;
}

function keyOf({ attempt, kind }: Effect): string {
  return `${attempt}:${kind}`;
}
