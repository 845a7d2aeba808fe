/** towline image prune: removes images of a host that no task used for long, after asking. */
import type { Command } from 'commander';
import { parseDuration } from '../../domain/units.ts';
import type { PruneView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';

interface PruneOptions {
  olderThan?: string;
  dryRun?: boolean;
  yes?: boolean;
}

const DESCRIPTION = `Remove the images on a host that Towline brought there and no task used for long. What an unfinished
task of any daemon that shares the images runs from stays, and so does every image of your own.

On a terminal it says what would go and asks; --yes does not ask, --dry-run only says. Not on a
terminal, or with --json, it does it.

Examples: towline image prune vm --dry-run, towline image prune vm --older-than 7d --yes`;

export function addImagePrune(image: Command, cli: Cli): void {
  const prune = image
    .command('prune')
    .summary('remove images that no task used for long')
    .description(DESCRIPTION)
    .argument('<host>', 'name of a host, or local for this machine')
    .option('--older-than <duration>', 'not used for so long; default: 30d')
    .option('--dry-run', 'only say what would be removed')
    .option('--yes', 'do not ask');
  onAction<PruneOptions>(prune, cli, act);
}

async function act(call: Call<PruneOptions>): Promise<void> {
  const { dryRun, yes } = call.options;
  if (dryRun === true) return tell(call, await ask(call, true));
  if (yes !== true && call.io.out.isTTY && !call.json && !(await agreed(call))) return;
  return tell(call, await ask(call, false));
}

async function agreed(call: Call<PruneOptions>): Promise<boolean> {
  const would = await ask(call, true);
  await tell(call, would);
  if (would.images.length === 0) return false;
  const { openAsker } = await import('../ask.ts');
  const asker = openAsker(call, 'image prune');
  const answer = await asker.answer('Remove this? [y/N] ', { echo: true });
  asker.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function ask(call: Call<PruneOptions>, dryRun: boolean): Promise<PruneView> {
  const { olderThan } = call.options;
  const parsed = olderThan === undefined ? undefined : parseDuration(olderThan);
  if (parsed !== undefined && 'problem' in parsed)
    usage('image prune', `--older-than: ${parsed.problem}`);
  const age = parsed === undefined ? {} : { olderThanMs: parsed.value };
  return (await call.client()).pruneImages(call.args[0] ?? '', { ...age, dryRun });
}

async function tell(call: Call<PruneOptions>, report: PruneView): Promise<void> {
  if (call.json) return printJson(call.io, report);
  const { pruneText } = await import('../output/prune-text.ts');
  return call.io.out.write(pruneText(report));
}
