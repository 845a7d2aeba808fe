/** The command for the end of a task, as it is shown. */
import { type HookEnd, isEnded, type TaskState } from '../domain/state.ts';
import type { TaskSpec } from '../domain/task.ts';
import type { TaskView } from '../protocol/views.ts';
import { failureView, iso } from './view-parts.ts';

/** Nothing for a task without one. */
export function onFinishView(
  { onFinish: command }: TaskSpec,
  state: TaskState,
): Pick<TaskView, 'onFinish'> {
  if (command === undefined) return {};
  if (!isEnded(state)) return { onFinish: { command, state: 'waiting' } };
  if (state.hook === undefined) return { onFinish: { command, state: 'pending' } };
  return { onFinish: { command, ...endOf(state.hook) } };
}

function endOf({ at, ms, code, failure, passedOver }: HookEnd) {
  const state = failure !== undefined ? 'failed' : passedOver === true ? 'passed-over' : 'done';
  return {
    ...{ state: state as 'failed' | 'passed-over' | 'done', at: iso(at), ms },
    ...(code !== undefined && { exitCode: code }),
    ...(failure !== undefined && { failure: failureView(failure) }),
  };
}
