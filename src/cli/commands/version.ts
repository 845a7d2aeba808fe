/** towline version. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';

export function addVersion(program: Command, cli: Cli): void {
  const command = program
    .command('version')
    .summary('print the version')
    .description('Print the version of this command.');
  onAction(command, cli, async (call) =>
    call.json
      ? printJson(call.io, { version: cli.version, node: process.version })
      : call.io.out.write(`towline ${cli.version}\n`),
  );
}
