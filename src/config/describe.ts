/** The configuration as people read it: every key, its value as it would be written, and its source. */
import { keysOf } from './check.ts';
import type { Config, HostConfig } from './config.ts';
import { HOST_KEYS } from './host-keys.ts';
import type { KeyRow } from './key-table.ts';
import { JUMP_PREFIX, NODE_PREFIX } from './resolve-hosts.ts';
import { quoteValue } from './scan-value.ts';
import { HOST_PREFIX } from './section-names.ts';

export interface ConfigRow {
  section: string;
  key: string;
  /** As it would be written in a file; null when it is not set and has no default. */
  value: string | null;
  /** `file:line`, `$VARIABLE` or `default`. */
  source: string;
}

/** All keys of a configuration in the order of the documentation; those without meaning for a local host are left out. */
export function describeConfig(config: Config): ConfigRow[] {
  return [
    ...describeSection(config, 'daemon', config.daemon),
    ...describeSection(config, 'defaults', config.defaults),
    ...describeSection(config, 'tes', config.tes),
    ...describeSection(config, 's3', config.s3),
    ...Object.values(config.hosts).flatMap((host) =>
      describeSection(config, `${HOST_PREFIX}${host.name}`, host),
    ),
    ...Object.entries(config.slurm).flatMap(([host, { partitions, rules }]) => [
      ...partitions.flatMap((one) => describeSection(config, `partition.${host}.${one.name}`, one)),
      ...rules.flatMap((one) => describeSection(config, `sbatch.${host}.${one.name}`, one)),
    ]),
    ...Object.entries(config.loginNodes).flatMap(([id, host]) =>
      describeSection(config, `${NODE_PREFIX}${id}`, host),
    ),
    ...Object.values(config.jumpHosts).flatMap((host) =>
      describeSection(config, `${JUMP_PREFIX}${host.name}`, host),
    ),
  ];
}

function describeSection(config: Config, section: string, values: object): ConfigRow[] {
  const { type, scheduler } = values as Partial<HostConfig>;
  const local = type === 'local';
  // For a host that is only passed, and for a further login node, only what says how to log in counts.
  const passed = section.startsWith(JUMP_PREFIX) || section.startsWith(NODE_PREFIX);
  return Object.entries(passed ? HOST_KEYS : keysOf(section))
    .filter(([, row]: [string, KeyRow]) =>
      passed
        ? row.sshOnly === true
        : !(local && row.sshOnly === true) && !(scheduler === 'none' && row.slurmOnly === true),
    )
    .map(([key, row]) => ({
      section,
      key,
      value: write(row, (values as Record<string, unknown>)[row.field]),
      source: config.sources[`${section}.${key}`] ?? 'default',
    }));
}

function write(row: KeyRow, value: unknown): string | null {
  if (value === undefined && 'absent' in row.otherwise) return null;
  const text = row.type.format(value);
  // An empty list has no written form: leaving the key out is what means it.
  return text === '' ? null : quoteValue(text);
}
