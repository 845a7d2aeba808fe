/** The tasks that are not finished, in memory as they are in the store, and who is told of changes. */
import type { Effect } from '../domain/effects.ts';
import { isEnded } from '../domain/state.ts';
import type { Task, TaskId } from '../domain/task.ts';
import type { EventRecord, PendingEffect } from '../store/store.ts';
import { type Arrived, createTaskQueue } from './task-queue.ts';

export interface LiveTask {
  task: Task;
  orders: readonly Effect[];
}

/** One committed change. */
export interface Told extends LiveTask {
  before: Task | undefined;
  events: EventRecord[];
}

export interface LiveTasks {
  fill(stored: { tasks: Task[]; effects: PendingEffect[] }): void;
  entry(id: TaskId): LiveTask | undefined;
  tasks: () => IterableIterator<Task>;
  /** Those that wait for a host, in the order in which they are given one; not while one is told. */
  queued: () => Iterable<Task> & { readonly size: number };
  /** Those that have a host and have not ended. */
  onHosts: () => Iterable<Task>;
  /** How many have not ended. */
  unfinished: () => number;
  /** Takes over a change and tells it; an ended task with nothing left to do is let go. */
  tell(told: Told): void;
  onTold: (listener: (told: Told) => void) => void;
}

export function createLiveTasks(): LiveTasks {
  const live = new Map<TaskId, LiveTask & Arrived>();
  const queue = createTaskQueue();
  const onHosts = new Map<TaskId, Task>();
  let arrivals = 0;
  const listeners: ((told: Told) => void)[] = [];
  /** Ended, with something still to be done. */
  const leaving = new Set<TaskId>();

  function keep(entry: LiveTask): void {
    const { task, orders } = entry;
    const { state } = task;
    const ended = isEnded(state);
    const before = live.get(task.id);
    const now = { task, orders, arrival: before?.arrival ?? arrivals++ };
    if (before?.task.state.kind === 'queued') queue.remove(before);
    if (state.kind === 'queued') queue.add(now);
    if (!ended && 'host' in state) onHosts.set(task.id, task);
    else onHosts.delete(task.id);
    if (ended && orders.length === 0) live.delete(task.id);
    else live.set(task.id, now);
    if (ended && orders.length > 0) leaving.add(task.id);
    else leaving.delete(task.id);
  }

  return {
    fill({ tasks, effects }) {
      const orders = Map.groupBy(effects, (effect) => effect.task);
      for (const task of tasks) {
        const ordered = (orders.get(task.id) ?? []).map(({ kind, attempt }) => ({ kind, attempt }));
        keep({ task, orders: ordered });
      }
    },
    queued: () => queue,
    onHosts: () => onHosts.values(),
    unfinished: () => live.size - leaving.size,
    entry: (id) => live.get(id),
    *tasks() {
      for (const { task } of live.values()) yield task;
    },
    tell(told) {
      keep({ task: told.task, orders: told.orders });
      for (const listener of listeners) listener(told);
    },
    onTold: (listener) => void listeners.push(listener),
  };
}
