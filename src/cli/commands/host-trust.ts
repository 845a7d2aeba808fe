/**
 * towline host trust NAME: shows the keys a host offers and pins those that somebody confirms. Nothing
 * is pinned without a yes on a terminal or a fingerprint given.
 */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { HostTrustView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';
import { keyTable, trustedText } from '../output/trust-text.ts';

interface TrustOptions {
  fingerprint?: string[];
  replace?: boolean;
}

const HELP = `
Compare the fingerprints with those the site publishes, or ask its admin, before you say yes.
The keys are pinned in a file of Towline's own; your known_hosts files are never written.

Examples:
  towline host trust hpc
  towline host trust hpc --fingerprint SHA256:cJ…
  towline host trust hpc --replace        after the site said that its key changed
`;

export function addHostTrust(host: Command, cli: Cli): void {
  const trust = host
    .command('trust')
    .summary('show the keys a host offers and trust them')
    .description('Show the keys a host offers, and trust them once you have compared them.')
    .argument('<name>', 'name of a host')
    .option(
      '--fingerprint <sha256>',
      'trust only the key with this fingerprint, without a question; repeatable',
      (value: string, all?: string[]) => [...(all ?? []), value],
    )
    .option('--replace', "replace another key that Towline's own file has for the host")
    .addHelpText('after', HELP);
  onAction<TrustOptions>(trust, cli, act);
}

async function act(call: Call<TrustOptions>): Promise<number | void> {
  const name = call.args[0] ?? '';
  const { fingerprint, replace = false } = call.options;
  const client = await call.client();
  if (fingerprint !== undefined)
    return done(call, await client.trust(name, { fingerprint, replace }));
  const offered = await client.trust(name);
  const open = offered.keys.filter(
    ({ verdict }) => verdict === 'unknown' || verdict === 'different',
  );
  const asks = !call.json && process.stdin.isTTY && call.io.err.isTTY;
  if (!asks || open.length === 0) {
    if (call.json) await printJson(call.io, offered);
    else await call.io.out.write(keyTable(offered));
    if (offered.keys.some(({ verdict }) => verdict === 'trusted') && open.length === 0) return 0;
    if (call.json || open.length === 0) return NOT_TRUSTED;
    return usage('host trust', 'nothing was trusted: say which key with --fingerprint SHA256:…');
  }
  await call.io.err.write(keyTable(offered));
  const chosen = await choose(call, offered);
  if (chosen === undefined) {
    await call.io.err.write('nothing was trusted\n');
    return NOT_TRUSTED;
  }
  return done(call, await client.trust(name, { fingerprint: chosen, replace }));
}

/** There are keys that nobody has trusted yet. */
const NOT_TRUSTED = 13;

async function done(call: Call, view: HostTrustView): Promise<void> {
  if (call.json) return printJson(call.io, view);
  return call.io.out.write(trustedText(view));
}

/** The fingerprints to trust, or undefined for a no. */
async function choose(call: Call, { keys }: HostTrustView): Promise<string[] | undefined> {
  const open = keys.filter(({ verdict }) => verdict === 'unknown' || verdict === 'different');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and the end of the input are a no.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('no')));
  try {
    const question = 'Trust these keys? Type a fingerprint to trust that key, yes for all, or no: ';
    for (;;) {
      const typed = (await Promise.race([terminal.question(question), ended])).trim();
      if (typed === 'yes') return [...new Set(open.map(({ fingerprint }) => fingerprint))];
      if (typed === 'no' || typed === 'n') return undefined;
      const same = open.find(({ fingerprint }) => fingerprint === typed);
      if (same !== undefined) return [same.fingerprint];
      await call.io.err.write('That is neither yes, no nor a fingerprint shown above.\n');
    }
  } finally {
    terminal.close();
  }
}
