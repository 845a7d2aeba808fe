/** towline gc: remove what ended tasks left. */
import type { Command } from 'commander';
import { parseDuration } from '../../domain/units.ts';
import { type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';

export function addGc(program: Command, cli: Cli): void {
  const command = program
    .command('gc')
    .summary('remove what ended tasks left')
    .description(
      'Remove kept directories of ended tasks on the hosts, and forget old tasks with their logs.',
    )
    .option(
      '--older-than <duration>',
      'only tasks that ended longer ago; default: [defaults] keep_failed',
    )
    .option('--dry-run', 'only say what would be removed');
  onAction<{ olderThan?: string; dryRun?: boolean }>(command, cli, async (call) => {
    const { olderThan, dryRun = false } = call.options;
    const parsed = olderThan === undefined ? undefined : parseDuration(olderThan);
    if (parsed !== undefined && 'problem' in parsed) usage('gc', `--older-than: ${parsed.problem}`);
    const olderThanMs = parsed?.value;
    const report = await (await call.client()).gc({ olderThanMs, dryRun });
    if (call.json) return printJson(call.io, report);
    const verb = dryRun ? 'would be ' : '';
    const cleaned = report.cleaned.map((id) => `${id} directory ${verb}removed\n`);
    const forgotten = report.forgotten.map((id) => `${id} ${verb}forgotten\n`);
    return call.io.out.write([...cleaned, ...forgotten].join(''));
  });
}
