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
  /** Takes over a change and tells it; an ended task with nothing left to do is let go. */
  tell(told: Told): void;
  onTold: (listener: (told: Told) => void) => void;
}

export function createLiveTasks(): LiveTasks {
  const live = new Map<TaskId, LiveTask>();
  const listeners: ((told: Told) => void)[] = [];
  return {
    fill({ tasks, effects }) {
      const orders = Map.groupBy(effects, (effect) => effect.task);
      for (const task of tasks) {
        const ordered = (orders.get(task.id) ?? []).map(({ kind, attempt }) => ({ kind, attempt }));
        live.set(task.id, { task, orders: ordered });
      }
    },
    entry: (id) => live.get(id),
    *tasks() {
      for (const { task } of live.values()) yield task;
    },
    tell(told) {
      const { task, orders } = told;
      if (isEnded(task.state) && orders.length === 0) live.delete(task.id);
      else live.set(task.id, { task, orders });
      for (const listener of listeners) listener(told);
    },
    onTold: (listener) => void listeners.push(listener),
  };
}
