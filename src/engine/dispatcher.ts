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
import type { Ledger } from './ledger.ts';
import type { Logger } from './logger.ts';
import { whereIs } from './where.ts';

export interface StepContext {
  task: Task;
  attempt: number;
  signal: AbortSignal;
  /** The step cannot go on just now but has not failed: tells why, or that it goes on again. */
  trouble: (error: AppError | undefined) => Promise<void>;
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
  retry?: { at: number; host: string | undefined; timer: NodeJS.Timeout } | undefined;
}

interface DispatcherDeps {
  ledger: Ledger;
  steps: Record<Effect['kind'], Step>;
  now: () => number;
  random: () => number;
  log: Logger;
}

export const RETRY = { firstMs: 1_000, capMs: 60_000 };

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const jobs = new Map<string, Job>();
  const running = new Set<Promise<void>>();
  const wakes = new Map<string, number>();
  let stopped = false;

  function start(job: Job): void {
    if (stopped) return;
    job.retry = undefined;
    job.wakes = wakesOf(job);
    const run = carryOut(deps, job).then((failure) => {
      running.delete(run);
      if (failure !== undefined && !job.controller.signal.aborted) wait(job, failure);
    });
    running.add(run);
  }

  function wait(job: Job, failure: AppError): void {
    // The host came back while this try was failing: its reason may be gone already.
    if (job.wakes !== wakesOf(job)) job.tries = 0;
    const delay = backoffMs(job.tries, RETRY, deps.random());
    job.tries += 1;
    const at = deps.now() + delay;
    const timer = setTimeout(() => start(job), delay);
    job.retry = { at, host: hostOf(deps.ledger.get(job.id), job.effect.attempt), timer };
    deps.log.info(
      { task: job.id, step: job.effect.kind, code: failure.code, nextTryAt: at },
      failure.message,
    );
  }

  function wakesOf(job: Job): number {
    return wakes.get(hostOf(deps.ledger.get(job.id), job.effect.attempt) ?? '') ?? 0;
  }

  function end(key: string, job: Job, reason?: AppError): void {
    jobs.delete(key);
    clearTimeout(job.retry?.timer);
    job.controller.abort(reason);
  }

  return {
    sync(id, orders) {
      const wanted = new Map(orders.map((effect) => [keyOf(id, effect), effect]));
      for (const [key, job] of jobs) if (job.id === id && !wanted.has(key)) end(key, job);
      for (const [key, effect] of wanted) {
        if (jobs.has(key)) continue;
        const job = { id, effect, controller: new AbortController(), tries: 0, wakes: 0 };
        jobs.set(key, job);
        start(job);
      }
    },
    wakeHost(host) {
      wakes.set(host, (wakes.get(host) ?? 0) + 1);
      for (const job of jobs.values()) {
        if (job.retry === undefined || job.retry.host !== host) continue;
        clearTimeout(job.retry.timer);
        job.tries = 0;
        start(job);
      }
    },
    nextTryAt(id) {
      for (const job of jobs.values()) if (job.id === id && job.retry) return job.retry.at;
      return undefined;
    },
    async stop() {
      stopped = true;
      const reason = new AppError('DAEMON_STOPPING', 'the daemon is stopping');
      for (const [key, job] of jobs) end(key, job, reason);
      await Promise.allSettled(running);
    },
  };
}

/** Runs the step and commits what came of it; gives back why it must be tried again, if it must. */
async function carryOut(deps: DispatcherDeps, job: Job): Promise<AppError | undefined> {
  const { ledger, steps } = deps;
  const { signal } = job.controller;
  const { attempt, kind } = job.effect;
  const trouble = (error: AppError | undefined) => tellTrouble(deps, job, error);
  try {
    const task = ledger.get(job.id);
    if (task === undefined) return undefined;
    const event = await between(kind, () => steps[kind]({ task, attempt, signal, trouble }));
    if (!signal.aborted) await ledger.apply(job.id, event);
    return undefined;
  } catch (thrown) {
    if (signal.aborted) return undefined;
    const error = toAppError(thrown).in({
      task: job.id,
      host: hostOf(ledger.get(job.id), attempt),
    });
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
  const host = hostOf(deps.ledger.get(job.id), attempt) ?? 'this machine';
  const { code: reason, message, hint } = error;
  const blocked = { host, reason, message, hint, since: deps.now() };
  await deps.ledger.apply(job.id, { kind: 'blocked', attempt, blocked });
}

/**
 * Trouble with the link is the host's and passes, whoever must mend it. Steps from the launch on
 * never give up by an error of their own: the attempt could be running.
 */
export function mayPass(error: AppError, kind: Effect['kind']): boolean {
  if (error.retry === 'later' || error.code.startsWith('SSH_')) return true;
  return kind === 'launch' || kind === 'watch' || kind === 'cancel' || kind === 'clean';
}

function hostOf(task: Task | undefined, attempt: number): string | undefined {
  return task === undefined ? undefined : whereIs(task, attempt).host;
}

function keyOf(id: TaskId, effect: Effect): string {
  return `${id}.${effect.attempt}:${effect.kind}`;
}
