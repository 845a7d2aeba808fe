/** towline config check|show: reads the files themselves; no daemon is needed. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { ConfigRow } from '../../config/describe.ts';
import { explainNote } from '../../config/explain.ts';
import { type Call, type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { table } from '../output/text.ts';

export function addConfig(program: Command, cli: Cli): void {
  const config = program
    .command('config')
    .helpCommand(false)
    .summary('check or show the configuration')
    .description('Check or show the configuration, as the daemon would read it.');
  const check = config
    .command('check')
    .summary('check the files')
    .description('Check the configuration files; names every line to mend.');
  onAction(check, cli, async (call) => {
    const loaded = await load(call);
    const hosts = Object.keys(loaded.hosts);
    const notes = loaded.notes.map(explainNote);
    if (call.json) return printJson(call.io, { ok: true, files: loaded.files, hosts, notes });
    await call.io.err.write(noteText(notes));
    const files = loaded.files.length === 0 ? 'no file, defaults only' : loaded.files.join(', ');
    return call.io.out.write(`ok: ${files}; hosts: ${hosts.join(', ') || 'none'}\n`);
  });
  const show = config
    .command('show')
    .summary('show every value and where it comes from')
    .description('Show every value and where it comes from.');
  onAction(show, cli, async (call) => {
    const loaded = await load(call);
    const { describeConfig } = await import('../../config/describe.ts');
    const rows = describeConfig(loaded);
    const notes = loaded.notes.map(explainNote);
    if (call.json) return printJson(call.io, { files: loaded.files, values: rows, notes });
    return call.io.out.write(configText(rows) + noteText(notes));
  });
}

async function load(call: Call): Promise<Config> {
  const { loadConfig } = await import('../../config/load.ts');
  const { config } = call.options;
  return loadConfig({
    env: call.io.env,
    home: call.io.home,
    ...(config !== undefined && { files: [resolve(call.io.cwd, config)] }),
  });
}

function noteText(notes: readonly string[]): string {
  return notes.map((note) => `# note: ${note}\n`).join('');
}

/** Sections as in a file, each value with its source as a comment in a column. */
function configText(rows: readonly ConfigRow[]): string {
  const sections = Map.groupBy(rows, (row) => row.section);
  return [...sections]
    .map(([name, keys]) => {
      const set = keys.filter(({ value }) => value !== null);
      const cells = set.map(({ key, value, source }) => [key, '=', value ?? '', `# ${source}`]);
      return `[${name}]\n${cells.length === 0 ? '' : table(cells, Number.POSITIVE_INFINITY)}`;
    })
    .join('\n');
}
