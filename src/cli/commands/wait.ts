/** towline wait: until tasks have ended. */
import type { Command } from 'commander';
import { parseDuration } from '../../domain/units.ts';
import type { TaskView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { EXIT_OK, EXIT_TASK_FAILED, EXIT_WAIT_TIMEOUT } from '../exit-codes.ts';
import { printJson } from '../output/json.ts';

const DESCRIPTION = `Wait until the tasks have ended.

Ends with 0 when all succeeded, 3 when one did not, 14 when the time is over, and with 10 or more
when it could not be found out.`;

export function addWait(program: Command, cli: Cli): void {
  const command = program
    .command('wait')
    .summary('wait until tasks have ended')
    .description(DESCRIPTION)
    .argument('<id...>', 'ids of tasks, or their beginnings')
    .option('--timeout <duration>', 'at most this long, like 10m');
  onAction<{ timeout?: string }>(command, cli, async (call) => {
    const timeoutMs = timeoutOf(call);
    const client = await call.client();
    const tasks = await Promise.all(call.args.map((id) => client.wait(id, { timeoutMs })));
    if (call.json) await printJson(call.io, { tasks });
    else {
      await call.io.out.write(tasks.map(line).join(''));
      await tellFailures(call, tasks);
    }
    if (tasks.some((task) => task.ended && task.state !== 'succeeded')) return EXIT_TASK_FAILED;
    return tasks.every((task) => task.ended) ? EXIT_OK : EXIT_WAIT_TIMEOUT;
  });
}

/** On stderr: what reads the lines of stdout is not disturbed. */
async function tellFailures({ io }: Call, tasks: readonly TaskView[]): Promise<void> {
  const failed = tasks.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return;
  const { lastWords } = await import('../output/last-words.ts');
  for (const task of failed) await io.err.write(`${task.id}: ${lastWords(task)}`);
}

function timeoutOf({ options }: Call<{ timeout?: string }>): number | undefined {
  if (options.timeout === undefined) return undefined;
  if (/^\d+$/.test(options.timeout)) return Number(options.timeout) * 1000;
  const parsed = parseDuration(options.timeout);
  return 'problem' in parsed ? usage('wait', `--timeout: ${parsed.problem}`) : parsed.value;
}

function line(task: TaskView): string {
  const code = task.exitCode === undefined ? '' : ` ${task.exitCode}`;
  const why = task.failure === undefined ? '' : ` ${task.failure.code}`;
  return `${task.id} ${task.state}${code}${why}\n`;
}
