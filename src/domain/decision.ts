/** What judging an event gives: the task as it shall stand and what is ordered, or why not. */
import type { Effect } from './effects.ts';
import type { TaskEvent } from './events.ts';
import type { TaskState } from './state.ts';
import type { Task } from './task.ts';

export type Decision =
  /** `effects` replaces the orders of this attempt; 'same' leaves them as they are. */
  | { kind: 'next'; task: Task; effects: Effect[] | 'same' }
  | { kind: 'ignored'; why: string }
  | { kind: 'refused'; why: string };

/** The task in its next state, with one order or none. */
export function to(task: Task, state: TaskState, order?: Effect['kind']): Decision {
  const effects = order === undefined ? [] : [{ kind: order, attempt: state.attempt }];
  return { kind: 'next', task: { ...task, state }, effects };
}

/** News that does not fit the state: late, or told twice. */
export function ignored(task: Task, event: TaskEvent): Decision {
  return { kind: 'ignored', why: `${event.kind} while ${task.state.kind}` };
}

/** What was asked cannot be done in this state. */
export function wrongState(task: Task, wanted: string): Decision {
  return { kind: 'refused', why: `task ${task.id} is ${task.state.kind}, not ${wanted}` };
}
