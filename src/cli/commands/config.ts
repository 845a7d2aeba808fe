/** towline config check|show: reads the files themselves; no daemon is needed. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
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
    if (call.json) return printJson(call.io, { ok: true, files: loaded.files, hosts });
    const files = loaded.files.length === 0 ? 'no file, defaults only' : loaded.files.join(', ');
    return call.io.out.write(`ok: ${files}; hosts: ${hosts.join(', ') || 'none'}\n`);
  });
  const show = config
    .command('show')
    .summary('show every value and where it comes from')
    .description('Show every value and where it comes from.');
  onAction(show, cli, async (call) => {
    const loaded = await load(call);
    if (call.json) return printJson(call.io, loaded);
    return call.io.out.write(configText(loaded));
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

/** Sections as in a file, each value with its source as a comment in a column. */
function configText(config: Config): string {
  const sections: [string, object][] = [
    ['daemon', config.daemon],
    ['defaults', config.defaults],
    ...Object.entries(config.hosts).map(([name, host]): [string, object] => [`host.${name}`, host]),
  ];
  return sections
    .map(([name, values]) => {
      const rows = Object.entries(values)
        .filter(
          ([key, value]) => value !== undefined && !(key === 'name' && name.startsWith('host.')),
        )
        .map(([key, value]) => [snake(key), '=', shown(value), `# ${sourceOf(config, name, key)}`]);
      return `[${name}]\n${rows.length === 0 ? '' : table(rows, Number.POSITIVE_INFINITY)}`;
    })
    .join('\n');
}

function sourceOf(config: Config, section: string, field: string): string {
  const names = [
    `${section}.${snake(field)}`,
    `${section}.${field}`,
    `${section}.${snake(field).replace(/_(ms|bytes)$/, '')}`,
  ];
  return (
    names.map((name) => config.sources[name]).find((source) => source !== undefined) ?? 'computed'
  );
}

function snake(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
