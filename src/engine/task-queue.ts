/**
 * Queued tasks in the order in which they are given hosts. Kept in order rather than sorted when asked: with a hundred
 * thousand of them a task ends every few milliseconds, and each time the first in line is wanted.
 */
import { byRank } from '../domain/placement.ts';
import type { Task } from '../domain/task.ts';

/** A task with a number of its own, higher for those that came later. */
export interface Arrived {
  readonly task: Task;
  readonly arrival: number;
}

export interface TaskQueue extends Iterable<Task> {
  readonly size: number;
  add(arrived: Arrived): void;
  /** One that was added, or one like it. */
  remove(arrived: Arrived): void;
}

export function createTaskQueue(): TaskQueue {
  const line: Arrived[] = [];

  /** Where it is, or belongs. */
  function indexOf(one: Arrived): number {
    let low = 0;
    let high = line.length;
    // most come last
    const last = line.at(-1);
    if (last !== undefined && inOrder(last, one) < 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = line[middle];
      if (at !== undefined && inOrder(at, one) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    get size() {
      return line.length;
    },
    add(arrived) {
      line.splice(indexOf(arrived), 0, arrived);
    },
    remove(arrived) {
      const index = indexOf(arrived);
      if (line[index]?.arrival === arrived.arrival) line.splice(index, 1);
    },
    *[Symbol.iterator]() {
      for (const { task } of line) yield task;
    },
  };
}

function inOrder(a: Arrived, b: Arrived): number {
  return byRank(a.task, b.task) || a.arrival - b.arrival;
}
