/** A task as a script runs it: submitted now, its output as it comes, its end; the script's signal cancels it. */
import { isAppError } from '../domain/failure.ts';
import type { WireTaskSpec } from '../protocol/spec-schema.ts';
import type { TaskView } from '../protocol/views.ts';
import type { Client } from './client.ts';
import { type Reconnect, repeat, surely } from './reconnect.ts';
import { outputOf, type TaskOutput } from './task-output.ts';
import { TaskFailed } from './towline-error.ts';

export interface RunOptions extends Pick<Reconnect, 'reconnectForMs' | 'onReconnect'> {
  /** Aborting it cancels the task; `done` tells its end when there is one. */
  signal?: AbortSignal | undefined;
  /** The same key submits only once: a script that is run again gets the task of its first run. */
  idempotencyKey?: string | undefined;
  /** false: `done` gives the task however it ended. Default: it rejects unless the task succeeded. */
  reject?: boolean | undefined;
}

export interface RunningTask {
  readonly id: string;
  /** Its bytes as they come, from the first one on for each that iterates; nothing is lost when nobody does. */
  readonly stdout: TaskOutput;
  readonly stderr: TaskOutput;
  /**
   * The end of the task, its outputs delivered. Rejects with TaskFailed when it did not succeed, also when it
   * was cancelled (then `cause` is the reason of the signal).
   */
  readonly done: Promise<TaskView>;
}

/** Resolves when the task is the daemon's. @throws as submit; the reason of a signal that is aborted already */
export async function run(
  client: Client,
  spec: WireTaskSpec,
  options: RunOptions,
): Promise<RunningTask> {
  options.signal?.throwIfAborted();
  const task = await submitOnce(client, spec, options);
  const patience = { reconnectForMs: options.reconnectForMs, hasAnswered: true };
  return {
    id: task.id,
    stdout: outputOf(client, { task, stream: 'stdout' }, patience),
    stderr: outputOf(client, { task, stream: 'stderr' }, patience),
    done: endOf(client, task.id, options),
  };
}

/** Not ended by the signal: the daemon may have taken the task, which then is to be cancelled. */
async function submitOnce(
  client: Client,
  spec: WireTaskSpec,
  options: RunOptions,
): Promise<TaskView> {
  const idempotencyKey = options.idempotencyKey ?? crypto.randomUUID();
  const { reconnectForMs, onReconnect } = options;
  const { tasks } = await repeat({ reconnectForMs, onReconnect }, () =>
    client.submit([spec], { idempotencyKey }),
  );
  return tasks[0] as TaskView;
}

function endOf(client: Client, id: string, options: RunOptions): Promise<TaskView> {
  const { signal, reconnectForMs, onReconnect } = options;
  const refused = Promise.withResolvers<never>();
  const cancel = (): void => void cancelled(client, id, options).catch(refused.reject);
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  const waiting = client.wait(id, { reconnectForMs, onReconnect, hasAnswered: true });
  const done = Promise.race([waiting, refused.promise])
    .then((task) => judged(task, options))
    .finally(() => signal?.removeEventListener('abort', cancel));
  // A script that does not ask for the end is not ended by it.
  done.catch(() => {});
  return done;
}

async function cancelled(client: Client, id: string, options: RunOptions): Promise<void> {
  try {
    await surely(() => client.cancel(id), { reconnectForMs: options.reconnectForMs });
  } catch (error) {
    // it has ended meanwhile: `done` tells how
    if (!isAppError(error) || error.code !== 'TASK_WRONG_STATE') throw error;
  }
}

function judged(task: TaskView, { signal, reject = true }: RunOptions): TaskView {
  if (task.state === 'succeeded' || !reject) return task;
  throw new TaskFailed(task, task.state === 'cancelled' ? signal?.reason : undefined);
}
