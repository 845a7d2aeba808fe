/**
 * `towline/client`, as scripts import it. What comes in: tasks as they are written in JSON, with local paths as seen
 * from where the script runs. What goes out: all of client.ts, tasks that run (run.ts), errors with a code and a hint.
 * Never here: anything the command line needs, which starts faster without. Read next: run.ts, towline-error.ts.
 */
import { resolve } from 'node:path';
import { withLocalPaths } from '../protocol/local-paths.ts';
import type { WireTaskSpec } from '../protocol/spec-schema.ts';
import { createClient as createPlainClient } from './client.ts';
import { findSocket } from './find-socket.ts';
import { type RunningTask, type RunOptions, run } from './run.ts';

export type { WireTaskSpec as TaskSpec } from '../protocol/spec-schema.ts';
export type * from './client.ts';
export type { RunningTask, RunOptions } from './run.ts';
export type { TaskOutput } from './task-output.ts';
export { TaskFailed, TowlineError } from './towline-error.ts';

export interface ClientOptions {
  /** Default: found as the command line finds it: $TOWLINE_SOCKET, else by the configuration. */
  socketPath?: string | undefined;
}

/** A client of the daemon; nothing is dialled before the first call, and nothing has to be closed. */
export function createClient({ socketPath = findSocket() }: ClientOptions = {}) {
  const client = createPlainClient({ socketPath });
  return {
    ...client,
    /** Hands tasks over, all or none, and leaves them. @throws as in client.ts */
    submit: (
      tasks: readonly WireTaskSpec[],
      options: { idempotencyKey?: string | undefined } = {},
    ) => client.submit(tasks.map(fromHere), options),
    plan: (task: WireTaskSpec) => client.plan(fromHere(task)),
    /** Submits a task and gives a hold on it: its output as it comes, its end; see RunningTask. @throws as submit */
    run: (task: WireTaskSpec, options: RunOptions = {}): Promise<RunningTask> =>
      run(client, fromHere(task), options),
  };
}

export type Client = ReturnType<typeof createClient>;

function fromHere(task: WireTaskSpec): WireTaskSpec {
  return withLocalPaths(task, (path) => resolve(path)) as WireTaskSpec;
}
