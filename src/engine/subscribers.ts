/**
 * Live fan-out of what is told. A subscriber that is slow does not hold memory: it reads durable
 * events from the store by number and is only woken; progress it misses is gone.
 */
import type { TaskId } from '../domain/task.ts';
import type { Store } from '../store/store.ts';
import type { LiveEvent, Progress } from './service.ts';

export interface Subscribers {
  /** Durable events are in the store: of this task, or of none. */
  wake(task?: TaskId): void;
  progress(task: TaskId, progress: Progress): void;
  progressOf(task: TaskId): Progress | undefined;
  endProgress(task: TaskId): void;
  /** Resolves at the next news of the task, or when the signal aborts. */
  next(task: TaskId, signal: AbortSignal): Promise<void>;
  follow(options: {
    since: number;
    follow: boolean;
    task?: TaskId | undefined;
    signal: AbortSignal;
  }): AsyncIterable<LiveEvent>;
}

const PAGE = 500;
/** Progress is told at most this often per task. */
const PROGRESS_INTERVAL_MS = 200;

interface WaitingRoom {
  /** The next news, of one task or of anything, and a way to stop waiting for it. */
  news: (of?: TaskId) => { promise: Promise<void>; wake: () => void };
  /** Those that wait for news of it, and those that wait for any. */
  wake: (of?: TaskId) => void;
}

/** Kept apart by task: of a thousand that are waited for, each piece of news concerns one. */
function createWaitingRoom(): WaitingRoom {
  const waiters = new Map<TaskId | undefined, Set<() => void>>();

  function wakeThose(of: TaskId | undefined): void {
    const woken = waiters.get(of);
    waiters.delete(of);
    for (const resolve of woken ?? []) resolve();
  }

  return {
    news(of) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const those = waiters.get(of) ?? new Set();
      waiters.set(of, those.add(resolve));
      const wake = (): void => {
        those.delete(resolve);
        if (those.size === 0 && waiters.get(of) === those) waiters.delete(of);
        resolve();
      };
      return { promise, wake };
    },
    wake(of) {
      wakeThose(undefined);
      if (of !== undefined) wakeThose(of);
    },
  };
}

export function createSubscribers(store: Store, now: () => number): Subscribers {
  const latest = new Map<TaskId, { progress: Progress; at: number; told: number }>();
  const waiting = createWaitingRoom();

  async function next(task: TaskId, signal: AbortSignal): Promise<void> {
    const { promise, wake } = waiting.news(task);
    signal.addEventListener('abort', wake, { once: true });
    if (signal.aborted) wake();
    await promise;
    signal.removeEventListener('abort', wake);
  }

  async function* follow({
    since,
    follow: stay,
    task,
    signal,
  }: Parameters<Subscribers['follow']>[0]) {
    let seq = since;
    let told = 0;
    const seen = new Map<TaskId, number>();
    let news = waiting.news();
    const wake = (): void => news.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        // IMPORTANT: ask for news before reading, so that what comes meanwhile is not slept through.
        news.wake();
        news = waiting.news();
        const page = await store.listEvents({ since: seq, limit: PAGE, task });
        // After the reading: what was removed meanwhile is told rather than left out in silence.
        const gone = await store.eventsGone();
        const to = task === undefined ? gone.lastGone : gone.prunedTo;
        if (seq > 0 && to > seq && to > told) {
          told = to;
          yield { type: 'gap' as const, since: seq, to };
        }
        for (const event of page) {
          seq = event.seq;
          yield 'mode' in event
            ? { type: 'host' as const, ...event }
            : { type: 'event' as const, ...event };
        }
        if (page.length === PAGE) continue;
        if (!stay) return;
        for (const id of seen.keys()) if (!latest.has(id)) seen.delete(id);
        for (const [id, { progress, at }] of latest) {
          if ((task !== undefined && task !== id) || seen.get(id) === at) continue;
          seen.set(id, at);
          yield { type: 'progress' as const, at, task: id, progress };
        }
        await news.promise;
      }
    } finally {
      signal.removeEventListener('abort', wake);
      news.wake();
    }
  }

  return {
    wake: waiting.wake,
    progress(task, progress) {
      const before = latest.get(task);
      const at = now();
      const told =
        before !== undefined && at - before.told < PROGRESS_INTERVAL_MS ? before.told : at;
      latest.set(task, { progress, at, told });
      if (told === at) waiting.wake(task);
    },
    progressOf: (task) => latest.get(task)?.progress,
    endProgress: (task) => void latest.delete(task),
    next,
    follow,
  };
}
