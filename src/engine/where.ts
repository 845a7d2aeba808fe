/** Where an attempt is or was: its host, and the root it was launched in. */
import { isEnded } from '../domain/state.ts';
import { type AttemptToken, attemptToken, type Task } from '../domain/task.ts';

export interface Where {
  host?: string | undefined;
  /** Known once it was launched. */
  root?: string | undefined;
}

/** Of the current attempt or of a past one. */
export function whereIs(task: Task, attempt: number): Where {
  const { state } = task;
  if (attempt !== state.attempt) {
    return task.history.find((past) => past.attempt === attempt) ?? {};
  }
  return {
    host: 'host' in state ? state.host : undefined,
    root: 'launch' in state ? state.launch?.root : undefined,
  };
}

/** Whose streams are those of an attempt: its own, or those of the one that ran in its stead. */
export function ranAs({ id, state }: Task, attempt: number): AttemptToken {
  const reused = attempt === state.attempt && isEnded(state) ? state.reused : undefined;
  return reused?.token ?? attemptToken(id, attempt);
}
