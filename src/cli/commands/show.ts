/** towline show: everything about one task. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';

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
    const paint = painter(call.io, call.io.out);
    return call.io.out.write(taskPage(task, { now: Date.now(), paint }));
  });
}
