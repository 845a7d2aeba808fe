/** towline host: list and show here, each other verb has a file of its own. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { addHostActs } from './host-acts.ts';
import { addHostDoctor } from './host-doctor.ts';
import { addHostLogin } from './host-login.ts';
import { addHostTrust } from './host-trust.ts';

export function addHost(program: Command, cli: Cli): void {
  const host = program
    .command('host')
    .helpCommand(false)
    .summary('look at and manage hosts')
    .description(
      'Look at the configured hosts, trust their keys, log in to them, pause, drain, set up and forget them.',
    );
  addHostActs(host, cli);
  const list = host
    .command('list')
    .alias('ls')
    .summary('list hosts')
    .description('List the configured hosts.');
  onAction(list, cli, async (call) => {
    const answer = await (await call.client()).hosts();
    if (call.json) return printJson(call.io, answer);
    const { hostTable } = await import('../output/host-text.ts');
    return call.io.out.write(hostTable(answer.hosts, tableWidth(call.io.out)));
  });
  const show = host
    .command('show')
    .summary('connect to a host and show it')
    .description('Connect to a host and show what it has, or why it cannot be used.')
    .argument('<name>', 'name of a host')
    .option('--no-probe', 'do not connect; show what is known');
  onAction<{ probe?: boolean }>(show, cli, async (call) => {
    const client = await call.client();
    const answer = await client.host(call.args[0] ?? '', { probe: call.options.probe !== false });
    if (call.json) return printJson(call.io, answer);
    const { hostPage } = await import('../output/host-text.ts');
    return call.io.out.write(hostPage(answer, Date.now()));
  });
  addHostTrust(host, cli);
  addHostDoctor(host, cli);
  addHostLogin(host, cli);
}

function tableWidth(sink: { isTTY: boolean; columns: number }): number {
  return sink.isTTY ? sink.columns : Number.POSITIVE_INFINITY;
}
