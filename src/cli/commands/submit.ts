/** towline submit: hand tasks to the daemon and print their ids. */
import type { Command } from 'commander';
import type { WireTaskSpec } from '../../protocol/spec-schema.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';
import { addTaskOptions, type TaskOptions, taskFromOptions } from '../task-options.ts';

interface SubmitOptions extends TaskOptions {
  file?: string;
}

export function addSubmit(program: Command, cli: Cli): void {
  const command = program
    .command('submit')
    .summary('submit tasks and print their ids')
    .description(
      'Submit one task, or all tasks of a file; all or none. Prints the ids, one a line.',
    );
  addTaskOptions(command)
    .usage('[options] [image] -- command…\n       towline submit --file tasks.json|yaml|ndjson|-')
    .option('--file <tasks>', 'a file of tasks: a list, {"tasks": […]}, or one JSON object a line');
  onAction<SubmitOptions>(command, cli, async (call) => {
    const client = await call.client();
    const tasks = await tasksOf(call);
    const { idempotencyKey } = call.options;
    const submitted = await client.submit(tasks, { idempotencyKey });
    if (call.json) await printJson(call.io, submitted);
    else await call.io.out.write(submitted.tasks.map((task) => `${task.id}\n`).join(''));
  });
}

async function tasksOf(call: Call<SubmitOptions>): Promise<WireTaskSpec[]> {
  const { file, stdin: option } = call.options;
  if (file !== undefined) {
    if (call.args.length > 0 || call.cli.afterDashes !== undefined) {
      usage('submit', '--file takes no image and no command: they are in the file');
    }
    const { readTasksFile } = await import('../tasks-file.ts');
    return readTasksFile(file, call.io.cwd);
  }
  const spec = taskFromOptions(call, 'submit');
  if (option === undefined) return [spec];
  const { taskStdin } = await import('../stdin.ts');
  const stdin = await taskStdin(call, { option, implicit: false });
  return [stdin === undefined ? spec : { ...spec, stdin }];
}
