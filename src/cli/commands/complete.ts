/** towline __complete tasks|hosts: words for the shell; says nothing when there is no daemon. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';

const TASKS_MAX = 200;

export function addComplete(program: Command, cli: Cli): void {
  const command = program.command('__complete', { hidden: true }).argument('<what>');
  onAction(command, cli, async (call) => {
    try {
      const client = await call.client();
      const words =
        call.args[0] === 'hosts'
          ? (await client.hosts()).hosts.map((host) => host.name)
          : (await client.list({ limit: TASKS_MAX })).tasks.map((task) => task.id);
      await call.io.out.write(words.map((word) => `${word}\n`).join(''));
    } catch {
      // A shell that completes a word must not print an error in the middle of a line.
    }
  });
}
