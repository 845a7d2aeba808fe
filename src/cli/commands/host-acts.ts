/** towline host pause|resume|drain|forget: what a person does with a host. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { addHostSetup } from './host-setup.ts';

const MODES = {
  pause: {
    act: 'pauseHost',
    summary: 'send nothing to a host any more',
    about:
      'Close all links to a host and make none until it is resumed. Tasks that run there run on unseen; others wait.',
  },
  resume: {
    act: 'resumeHost',
    summary: 'go on with a host',
    about: 'End a pause or a drain: what waited goes on, what ran meanwhile is picked up.',
  },
  drain: {
    act: 'drainHost',
    summary: 'give a host no new tasks',
    about: 'Let the tasks of a host end there and place no new ones, until it is resumed.',
  },
} as const;

export function addHostActs(host: Command, cli: Cli): void {
  for (const [name, { act, summary, about }] of Object.entries(MODES)) {
    const command = host
      .command(name)
      .summary(summary)
      .description(`${about} Outlives the daemon.\n\nExample: towline host ${name} vm`)
      .argument('<name>', 'name of a host');
    onAction(command, cli, async (call) => {
      const answer = await (await call.client())[act](call.args[0] ?? '');
      if (call.json) return printJson(call.io, answer);
      const { usedTasks } = answer.slots;
      const there = usedTasks === 0 ? '' : `, ${usedTasks} tasks there`;
      return call.io.out.write(`${answer.name} ${answer.mode}${there}\n`);
    });
  }
  addHostSetup(host, cli);
  addForget(host, cli);
}

function addForget(host: Command, cli: Cli): void {
  const forget = host
    .command('forget')
    .summary('remove what this daemon made on a host')
    .description(
      'Say what this daemon made on a host and how big it is; with --yes remove it and pause the host. What is not of Towline, and what another daemon of the account uses, stays. Refused while tasks are there.\n\nExample: towline host forget vm --yes',
    )
    .argument('<name>', 'name of a host')
    .option('--yes', 'remove it; without this nothing is changed');
  onAction<{ yes?: boolean }>(forget, cli, async (call) => {
    const client = await call.client();
    const answer = await client.forgetHost(call.args[0] ?? '', {
      dryRun: call.options.yes !== true,
    });
    if (call.json) return printJson(call.io, answer);
    const { forgetText } = await import('../output/forget-text.ts');
    return call.io.out.write(forgetText(answer));
  });
}
