/** What an attempt came to, as told with the one event that ended it. */
import type { FailureRecord } from '../domain/failure.ts';
import { type EndedState, type ExitRecord, isEnded, type Usage } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import type { NewEvent } from '../store/store.ts';

interface AttemptEnd {
  result: EndedState['kind'];
  code?: number | undefined;
  limit?: ExitRecord['limit'];
  failure?: FailureRecord | undefined;
  usage?: Usage | undefined;
  /** Another attempt was queued by the task's own policy: the task has not ended. */
  again?: true;
}

/** The end of the attempt that `before` was in, if this change ended it. */
export function endOfAttempt(before: Task, after: Task): AttemptEnd | undefined {
  if (isEnded(before.state)) return undefined;
  const { attempt } = before.state;
  if (isEnded(after.state) && after.state.attempt === attempt) return endOf(after.state);
  const past = after.history.find((other) => other.attempt === attempt);
  return past === undefined ? undefined : { ...endOf({ ...past, kind: past.result }), again: true };
}

/** The event with the end that it brought, if it did. */
export function withEnd(event: NewEvent, end: AttemptEnd | undefined): NewEvent {
  return end === undefined ? event : { ...event, data: { ...event.data, end } };
}

interface Over {
  kind: EndedState['kind'];
  exit?: ExitRecord | undefined;
  failure?: FailureRecord | undefined;
}

function endOf(over: Over): AttemptEnd {
  const { kind: result, exit, failure } = over;
  return {
    result,
    ...(exit?.code !== undefined && { code: exit.code }),
    ...(exit?.limit !== undefined && { limit: exit.limit }),
    ...(failure !== undefined && { failure }),
    ...(exit?.usage !== undefined && { usage: exit.usage }),
  };
}
