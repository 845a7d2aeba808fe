/** towline host pause|resume|drain|setup|forget: what a person does with a host. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { oneLine } from '../output/text.ts';

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
  addSetup(host, cli);
  addForget(host, cli);
}

function addSetup(host: Command, cli: Cli): void {
  const setup = host
    .command('setup')
    .summary('make a host ready now')
    .description(
      'Connect to a host, make its root, check its tools and runtime, and show what it has.\n\nExample: towline host setup vm --pull',
    )
    .argument('<name>', 'name of a host')
    .option('--pull', 'pull the image of [defaults], too');
  onAction<{ pull?: boolean }>(setup, cli, async (call) => {
    const client = await call.client();
    const name = call.args[0] ?? '';
    const { host: found, image } = await client.setupHost(name);
    const pulled =
      call.options.pull === true && image !== undefined
        ? await client.pullImage(name, image)
        : undefined;
    if (call.json) return printJson(call.io, { host: found, image, pulled });
    const { hostPage } = await import('../output/host-text.ts');
    await call.io.out.write(hostPage(found, Date.now()));
    if (pulled !== undefined) return call.io.out.write(`image       ${oneLine(pulled.path)}\n`);
    if (image === undefined) return undefined;
    return call.io.out.write(
      `image       ${image}: pull it with: towline host setup ${name} --pull\n`,
    );
  });
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
