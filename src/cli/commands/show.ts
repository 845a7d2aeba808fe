/** towline show: everything about one task. */
import type { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import type { TaskView } from '../../protocol/views.ts';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';

const TAIL_LINES = 10;
const TAIL_BYTES_MAX = 8192;

export function addShow(program: Command, cli: Cli): void {
  const command = program
    .command('show')
    .summary('show everything about a task')
    .description('Show where a task stands, why, and what to do next.')
    .argument('<id>', 'id of a task, or its beginning');
  onAction(command, cli, async (call) => {
    const client = await call.client();
    const task = await client.get(call.args[0] ?? '');
    if (call.json) return printJson(call.io, task);
    const [{ taskPage }, { painter }] = await Promise.all([
      import('../output/task-page.ts'),
      import('../output/colour.ts'),
    ]);
    const stderrTail = isFailed(task) ? await tailOf(client, task) : undefined;
    const paint = painter(call.io, call.io.out);
    return call.io.out.write(taskPage(task, { now: Date.now(), paint, stderrTail }));
  });
}

function isFailed(task: TaskView): boolean {
  return ['failed', 'error', 'interrupted'].includes(task.state);
}

async function tailOf(client: Client, task: TaskView): Promise<string> {
  const offset = Math.max(0, task.streams.stderr.bytes - TAIL_BYTES_MAX);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of client.logs(task.id, 'stderr', { offset })) chunks.push(chunk);
  } catch {
    // The page is worth more than its last part.
    return '';
  }
  const lines = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}
