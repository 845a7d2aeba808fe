/** towline host login: a person answers what a host asks, and its tasks go on. */
import type { Command } from 'commander';
import type { LoginView } from '../../protocol/views.ts';
import { type Asker, openAsker } from '../ask.ts';
import { type Call, type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { oneLine } from '../output/text.ts';

export function addHostLogin(host: Command, cli: Cli): void {
  const login = host
    .command('login')
    .summary('log in to a host that asks for a code or password')
    .description(
      'Log in to a host that asks for what only a person knows: a one-time code, a password. Asks on the ' +
        'terminal, or takes one answer a line from stdin. The daemon keeps the connection and never the ' +
        'answers; all tasks of the host go on.',
    )
    .argument('<name>', 'name of a host')
    .addHelpText('after', '\nExample: towline host login hpc');
  onAction(login, cli, async (call) => {
    const client = await call.client();
    const name = call.args[0] ?? '';
    let step = await client.loginHost(name);
    const asker = step.done ? undefined : openAsker(call, 'host login');
    try {
      while (asker !== undefined && !step.done) {
        const answers = await answersTo(step, { call, asker, name });
        step = await client.loginHost(name, { session: step.session, answers });
      }
    } finally {
      asker?.close();
    }
    if (!step.done) return;
    if (call.json) return printJson(call.io, step.host);
    const { link } = step.host;
    await call.io.out.write(`${name}: logged in, the link is ${link.kind}\n`);
  });
}

type Question = Extract<LoginView, { done: false }>;

/** All texts are the host's: it may be hostile, and the terminal must not obey it. */
async function answersTo(
  { asking, name: title, instruction, prompts }: Question,
  { call, asker, name }: { call: Call; asker: Asker; name: string },
): Promise<string[]> {
  const who = asking === name ? `host ${name}` : `jump host ${asking} of host ${name}`;
  const lines = [title, instruction].filter((text) => text.trim() !== '');
  const said = lines.map((text) => `: ${oneLine(text.trim())}`).join('');
  await call.io.err.write(`towline: ${oneLine(who)} asks${said}\n`);
  const answers: string[] = [];
  for (const { prompt, echo } of prompts)
    answers.push(await asker.answer(oneLine(prompt), { echo }));
  return answers;
}
