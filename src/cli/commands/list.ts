/** towline list: the tasks, newest first. */
import type { Command } from 'commander';
import type { TaskView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { escapeControls } from '../output/text.ts';

interface ListOptions {
  state?: string[];
  host?: string;
  name?: string;
  tag?: string[];
  limit?: string;
  all?: boolean;
  quiet?: boolean;
}

const LIMIT_DEFAULT = 50;
const PAGE = 1000;
const many = (value: string, before: string[] = []): string[] => [...before, value];

export function addList(program: Command, cli: Cli): void {
  const command = program
    .command('list')
    .alias('ls')
    .summary('list tasks')
    .description(`List tasks, newest first (${LIMIT_DEFAULT} unless told).`)
    .option('--state <states>', 'only these states, by comma', many)
    .option('--host <name>', 'only of this host')
    .option('--name <name>', 'only with this name')
    .option('--tag <name=value>', 'only with this tag', many)
    .option('--limit <n>', 'how many')
    .option('--all', 'all of them')
    .option('-q, --quiet', 'ids only');
  onAction<ListOptions>(command, cli, async (call) => {
    const tasks = await fetchTasks(call);
    if (call.json) return printJson(call.io, { tasks });
    if (call.options.quiet === true) {
      return call.io.out.write(tasks.map((task) => `${task.id}\n`).join(''));
    }
    const { taskTable } = await import('../output/task-list.ts');
    const width = call.io.out.isTTY ? call.io.out.columns : Number.POSITIVE_INFINITY;
    return call.io.out.write(taskTable(tasks, Date.now(), width));
  });
}

async function fetchTasks(call: Call<ListOptions>): Promise<TaskView[]> {
  const client = await call.client();
  const { state, host, name, tag, limit, all } = call.options;
  const wanted = all === true ? Number.POSITIVE_INFINITY : Number(limit ?? LIMIT_DEFAULT);
  const tasks: TaskView[] = [];
  let cursor: string | undefined;
  do {
    // A limit that is no number goes through as it is: the daemon says what is wrong with it.
    const page = await client.list({
      state,
      host,
      name,
      tag,
      cursor,
      limit: Math.min(PAGE, wanted - tasks.length),
    });
    tasks.push(...page.tasks);
    for (const { id, why } of page.unreadable ?? []) {
      await call.io.err.write(`${escapeControls(`towline: task ${id} cannot be read: ${why}`)}\n`);
    }
    cursor = page.cursor;
  } while (cursor !== undefined && tasks.length < wanted);
  return tasks;
}
