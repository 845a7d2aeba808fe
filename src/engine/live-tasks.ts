/** The tasks that are not finished, in memory as they are in the store, and who is told of changes. */
import type { Effect } from '../domain/effects.ts';
import { isEnded } from '../domain/state.ts';
import type { Task, TaskId } from '../domain/task.ts';
import type { EventRecord, PendingEffect } from '../store/store.ts';

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
  /** How many have not ended. */
  unfinished: () => number;
  /** Takes over a change and tells it; an ended task with nothing left to do is let go. */
  tell(told: Told): void;
  onTold: (listener: (told: Told) => void) => void;
}

export function createLiveTasks(): LiveTasks {
  const live = new Map<TaskId, LiveTask>();
  const listeners: ((told: Told) => void)[] = [];
  /** Ended, with something still to be done. */
  const leaving = new Set<TaskId>();

  function keep(entry: LiveTask): void {
    const { task, orders } = entry;
    const ended = isEnded(task.state);
    if (ended && orders.length === 0) live.delete(task.id);
    else live.set(task.id, entry);
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
