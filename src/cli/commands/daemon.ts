/** towline daemon: the long-running part; its implementation is given by main.ts. */
import type { Command } from 'commander';
import { AppError } from '../../domain/failure.ts';
import { type Cli, onAction } from '../call.ts';

export function addDaemon(program: Command, cli: Cli): void {
  const command = program
    .command('daemon')
    .summary('run the daemon')
    .description(
      'Run the daemon in the foreground until SIGTERM. SIGHUP reads the configuration again.',
    )
    .option(
      '--adopt-state',
      'take over a state directory that is a copy, or was made on another machine',
    );
  onAction<{ adoptState?: boolean }>(command, cli, async (call) => {
    if (cli.startDaemon === undefined) throw new AppError('INTERNAL', 'this build has no daemon');
    const { config, socket, adoptState = false } = call.options;
    return cli.startDaemon({ config, socket, adoptState });
  });
}
