/** Which shared outputs are still needed: told of all tasks there are, it says so. Pure. */
import { isEnded } from '../domain/state.ts';
import { type AttemptToken, attemptToken, type Task, type TaskId } from '../domain/task.ts';
import { takenBy } from './dependencies.ts';

export interface Needs {
  see(task: Task): void;
  /** True when a task that has not ended takes something of this one. */
  isTaken(id: TaskId): boolean;
  /** Attempts that hold outputs which are taken, or of tasks that ended after `since`. */
  holding(since: number): Set<AttemptToken>;
}

interface Held {
  id: TaskId;
  token: AttemptToken;
  finishedAt: number;
}

export function createNeeds(): Needs {
  const taken = new Set<string>();
  const held: Held[] = [];
  const unfinished: AttemptToken[] = [];
  return {
    see({ id, spec, state }) {
      if (!isEnded(state)) {
        for (const { task } of takenBy(spec)) taken.add(task);
        // it may just be sharing what it made
        unfinished.push(attemptToken(id, state.attempt));
      } else if (state.kept !== undefined) {
        held.push({ id, token: state.kept.token, finishedAt: state.finishedAt });
      }
    },
    isTaken: (id) => taken.has(id),
    holding(since) {
      const needed = held.filter(({ id, finishedAt }) => taken.has(id) || finishedAt > since);
      return new Set([...unfinished, ...needed.map(({ token }) => token)]);
    },
  };
}
