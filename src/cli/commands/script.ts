/** towline script: the generated script and the plan, nothing executed. */
import type { Command } from 'commander';
import { isReference } from '../../protocol/references.ts';
import type { WireTaskSpec } from '../../protocol/spec-schema.ts';
import type { PlanView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';
import { sizeText } from '../output/text.ts';
import { addTaskOptions, type TaskOptions, taskFromOptions } from '../task-options.ts';

interface ScriptOptions extends TaskOptions {
  file?: string;
  plan?: boolean;
}

export function addScript(program: Command, cli: Cli): void {
  const command = program
    .command('script')
    .summary('print the script of a task; nothing is executed')
    .description(
      'Print the Apptainer script of a task (run.sh), or with --plan all that would be done.',
    );
  addTaskOptions(command)
    .usage('[options] [image] -- command…\n       towline script --file task.json')
    .option('--file <task>', 'a file with one task')
    .option('--plan', 'also the paths and every generated file');
  onAction<ScriptOptions>(command, cli, async (call) => {
    const client = await call.client();
    const plan = await client.plan(await taskOf(call));
    if (call.json) return printJson(call.io, plan);
    if (call.options.plan === true) return call.io.out.write(planText(plan));
    return call.io.out.write(plan.files['run.sh'] ?? '');
  });
}

async function taskOf(call: Call<ScriptOptions>): Promise<WireTaskSpec> {
  const { file, stdin } = call.options;
  if (file === undefined) {
    const spec = taskFromOptions(call, 'script');
    if (stdin === '-') usage('script', '--stdin - makes no sense here: nothing is executed');
    const { resolve } = await import('node:path');
    return stdin === undefined
      ? spec
      : { ...spec, stdin: { path: isReference(stdin) ? stdin : resolve(call.io.cwd, stdin) } };
  }
  const { readTasksFile } = await import('../tasks-file.ts');
  const [task, ...others] = await readTasksFile(file, call.io.cwd);
  if (task === undefined || others.length > 0) usage('script', '--file must have exactly one task');
  return task;
}

function planText(plan: PlanView): string {
  const moves = [
    ...plan.inputs.map((input) => `input      ${input.from} -> ${input.to}${sentText(input)}\n`),
    ...plan.outputs.map(({ from, to }) => `output     ${from} -> ${to}\n`),
  ];
  const files = Object.entries(plan.files).map(([name, text]) => `\n--- ${name}\n${text}`);
  const { why, waits } = plan.choice;
  const head = [
    `host       ${plan.host}: ${why}\n`,
    ...(waits === undefined
      ? []
      : [`waits      ${waits.reason}: ${waits.message}\n           ${waits.hint}\n`]),
    ...plan.images.map(({ reference, path }) => `image      ${reference} (${path})\n`),
    ...jobLines(plan),
    ...plan.directories.map(({ path, fate }) => `directory  ${path}: ${fate}\n`),
  ];
  return [...head, ...moves, ...files].join('');
}

function jobLines({ job }: PlanView): string[] {
  if (job === undefined) return [];
  const notes = job.notes.map((note) => `note       ${note}\n`);
  return [`job        sbatch ${job.args.join(' ')}\n`, ...notes];
}

function sentText({ files, bytes }: PlanView['inputs'][number]): string {
  if (files === undefined || bytes === undefined) return ' (on the host)';
  return ` (${files} file${files === 1 ? '' : 's'}, ${sizeText(bytes)})`;
}
