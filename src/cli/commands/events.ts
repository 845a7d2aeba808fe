/** towline events: what happened, and what happens. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJsonLine } from '../output/json.ts';

interface EventsOptions {
  since?: string;
  follow?: boolean;
  task?: string;
}

export function addEvents(program: Command, cli: Cli): void {
  const command = program
    .command('events')
    .summary('print what happened')
    .description('Print events in order, one a line; with --json one JSON object a line.')
    .option('--since <seq>', 'only after this number')
    .option('-f, --follow', 'go on with those to come')
    .option('--task <id>', 'only of this task');
  onAction<EventsOptions>(command, cli, async (call) => {
    const { since, follow, task } = call.options;
    const client = await call.client();
    const { eventLine } = await import('../output/event-text.ts');
    const events = client.events({ since: since === undefined ? 0 : Number(since), follow, task });
    for await (const event of events) {
      if (call.json) await printJsonLine(call.io, event);
      else await call.io.out.write(eventLine(event));
    }
  });
}
