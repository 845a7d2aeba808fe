/** towline help [COMMAND…]: the help of the whole tree or of one command. */
import type { Command } from 'commander';
import { nearest } from '../../domain/suggest.ts';
import { type Cli, onAction, usage } from '../call.ts';

export function addHelp(program: Command, cli: Cli): void {
  const command = program
    .command('help')
    .summary('show help')
    .description('Show the commands, or the options of one.')
    .argument('[command...]', 'a command');
  onAction(command, cli, async (call) => {
    // Only the verb itself was loaded; help needs the whole tree.
    const { buildProgram } = await import('../main.ts');
    let node = await buildProgram(cli);
    for (const name of call.args) {
      const next = node.commands.find((one) => one.name() === name || one.aliases().includes(name));
      if (next === undefined) {
        const near = nearest(
          name,
          node.commands.map((one) => one.name()),
        );
        usage(
          '',
          `unknown command '${name}'${near === undefined ? '' : ` (did you mean ${near}?)`}`,
        );
      }
      node = next;
    }
    return call.io.out.write(node.helpInformation());
  });
}
