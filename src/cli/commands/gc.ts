/** towline gc: remove what is not needed any more, and say what was removed. */
import type { Command } from 'commander';
import type { Client, GcOptions } from '../../client/client.ts';
import { parseDuration } from '../../domain/units.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';

interface GcCliOptions {
  olderThan?: string;
  host?: string;
  images?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  history?: boolean;
}

const DESCRIPTION = `Remove kept directories of ended tasks on the hosts, forget old tasks with their logs, and remove what no
task needs: staged inputs, parts of uploads, remains of pulls, streams, old events. How long each thing
is kept stands in docs/limits.md. Nothing that Towline did not make is touched.

On a terminal it says what would go and asks; --yes does not ask, --dry-run only says. Not on a
terminal, or with --json, it does it.

Examples: towline gc --dry-run, towline gc --host vm --older-than 1d --yes, towline gc --history`;

export function addGc(program: Command, cli: Cli): void {
  const command = program
    .command('gc')
    .summary('remove what is not needed any more')
    .description(DESCRIPTION)
    .option(
      '--older-than <duration>',
      'only what is older; default: [defaults] keep_failed and keep_tasks',
    )
    .option('--host <name>', 'only what is on this host')
    .option('--images', 'also pulled images that no task uses')
    .option('--dry-run', 'only say what would be removed')
    .option('--yes', 'do not ask')
    .option('--history', 'what was removed: when, what, where, how big, by which daemon');
  onAction<GcCliOptions>(command, cli, collect);
}

async function collect(call: Call<GcCliOptions>): Promise<void> {
  const client = await call.client();
  if (call.options.history === true) return history(call, client);
  const request = requestOf(call.options);
  const asks = call.options.yes !== true && call.io.out.isTTY && !call.json;
  if (!asks || request.dryRun === true) return act(call, client, request);
  const { gcText } = await import('../output/gc-text.ts');
  const would = await client.gc({ ...request, dryRun: true });
  await call.io.out.write(gcText(would));
  if (would.cleaned.length + would.removed.length === 0) return;
  const { openAsker } = await import('../ask.ts');
  const asker = openAsker(call, 'gc');
  const answer = await asker.answer('Remove this? [y/N] ', { echo: true });
  asker.close();
  if (/^y(es)?$/i.test(answer.trim())) await act(call, client, request);
}

async function act(call: Call, client: Client, request: GcOptions): Promise<void> {
  const report = await client.gc(request);
  if (call.json) return printJson(call.io, report);
  const { gcText } = await import('../output/gc-text.ts');
  return call.io.out.write(gcText(report));
}

async function history(call: Call, client: Client): Promise<void> {
  const answer = await client.gcHistory();
  if (call.json) return printJson(call.io, answer);
  const { historyText } = await import('../output/gc-text.ts');
  return call.io.out.write(historyText(answer));
}

function requestOf({ olderThan, host, images, dryRun }: GcCliOptions): GcOptions {
  const parsed = olderThan === undefined ? undefined : parseDuration(olderThan);
  if (parsed !== undefined && 'problem' in parsed) usage('gc', `--older-than: ${parsed.problem}`);
  return { olderThanMs: parsed?.value, host, images, dryRun };
}
