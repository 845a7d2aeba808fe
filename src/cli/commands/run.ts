/** towline run: a task that behaves like a local command. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { addTaskOptions, type TaskOptions, taskFromOptions } from '../task-options.ts';

export interface RunOptions extends TaskOptions {
  n?: boolean;
  detach?: boolean;
}

const DESCRIPTION = `Run a task: both outputs are streamed, the exit code is the command's own.

Everything that is not the command's ends with 125. Ctrl-C cancels the task and ends with 130; a
closed terminal leaves it running. When nobody reads the output any more (| head) the task is
cancelled. A file or FIFO on stdin is given to the task; a terminal, socket or /dev/null is not.`;

export function addRun(program: Command, cli: Cli): void {
  const command = program
    .command('run')
    .summary('run a task like a local command')
    .description(DESCRIPTION);
  addTaskOptions(command)
    .usage('[options] [image] -- command…')
    .option('-n', 'give the task no stdin')
    .option('--no-stdin', 'as -n')
    .option('--detach', 'print the id and leave the task to the daemon');
  onAction<RunOptions>(command, cli, async (call) => {
    const { options } = call;
    const spec = taskFromOptions(call, 'run');
    // Commander makes `--no-stdin` into false.
    const given: unknown = options.stdin;
    const off = options.n === true || given === false;
    const option = typeof given === 'string' ? given : undefined;
    const { taskStdin } = await import('../stdin.ts');
    const stdin = off ? undefined : await taskStdin(call, { option, implicit: true });
    const { runTask } = await import('../run/run-task.ts');
    const { idempotencyKey, detach = false } = options;
    return runTask(call, stdin === undefined ? spec : { ...spec, stdin }, {
      idempotencyKey,
      detach,
    });
  });
}
