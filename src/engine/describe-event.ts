/** The event as it is told to the world: what happened, in words of data, without what the state repeats. */
import type { TaskEvent } from '../domain/events.ts';
import type { KeptOutputs, StagedInputs } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import type { NewEvent } from '../store/store.ts';

/** The record of one event of a task that now stands as given. */
export function describeEvent(
  task: Task,
  event: TaskEvent | { kind: 'submitted' },
  at: number,
): NewEvent {
  const attempt = 'attempt' in event ? event.attempt : task.state.attempt;
  return {
    at,
    task: task.id,
    attempt,
    kind: event.kind,
    state: task.state.kind,
    data: dataOf(task, event),
  };
}

function dataOf(task: Task, event: TaskEvent | { kind: 'submitted' }): Record<string, unknown> {
  const ending = 'failure' in task.state ? { failure: task.state.failure } : {};
  switch (event.kind) {
    case 'submitted':
      return { name: task.spec.name, host: task.spec.host, images: task.spec.images };
    case 'placed':
      return { host: event.host, ...(event.gpus !== undefined && { gpus: event.gpus }) };
    case 'staged':
      return stagedOf(event.inputs);
    case 'image-ready':
      return {
        image: event.image,
        ...(event.notReused !== undefined && { notReused: event.notReused }),
      };
    case 'reused':
      return { reused: event.reused, outputs: event.outputs, exit: event.exit };
    case 'pull-started':
    case 'pull-finished':
      return { image: event.image };
    case 'pull-failed':
      return {
        ...{ image: event.image, failure: event.failure },
        ...(event.nextTryAt !== undefined && {
          nextTryAt: new Date(event.nextTryAt).toISOString(),
        }),
      };
    case 'pull-not-asked':
      return { image: event.image, failure: event.failure };
    case 'job-submitted':
      return { job: event.job };
    case 'launched':
      return { launch: event.launch };
    case 'cleaned':
      return event.bytes === undefined ? {} : { bytes: event.bytes };
    case 'hook-ended':
      return { hook: event.hook };
    case 'exited':
      return { exit: event.exit, ...ending };
    case 'collected':
      return {
        outputs: event.outputs,
        ...(event.kept !== undefined && { kept: keptOf(event.kept) }),
        ...ending,
      };
    case 'blocked':
      return { blocked: event.blocked };
    case 'died':
    case 'step-failed':
      return { failure: event.failure };
    case 'gone':
      return event.exit === undefined ? {} : { exit: event.exit };
    case 'predecessor-ended':
      return { predecessor: event.id, succeeded: event.succeeded };
    case 'cancel-asked':
    case 'retry-asked':
    case 'hold-asked':
    case 'released':
    case 'gc-asked':
    case 'image-gone':
    case 'inputs-gone':
    case 'unblocked':
      return {};
  }
}

/** Their names are in the task; there may be thousands. */
function keptOf({ entries }: KeptOutputs): { files: number; bytes: number } {
  const files = entries.filter(({ kind }) => kind === 'file');
  const bytes = entries.reduce((sum, entry) => sum + ('bytes' in entry ? entry.bytes : 0), 0);
  return { files: files.length, bytes };
}

function stagedOf({ files }: StagedInputs): Record<string, unknown> {
  const bytes = files.reduce((sum, file) => sum + (file.kind === 'object' ? file.bytes : 0), 0);
  return { files: files.length, bytes };
}
