/** From what the files set to the whole configuration: later files win, gaps are filled. */
import assert from 'node:assert';
import type { Setting } from './check.ts';
import { COMPUTED, type Found, type Surroundings } from './computed.ts';
import type { Config, DaemonConfig, DefaultsConfig, HostConfig } from './config.ts';
import { HOST_KEYS } from './host-keys.ts';
import type { KeyRow, KeyTable } from './key-table.ts';
import { DAEMON_KEYS, DEFAULTS_KEYS } from './keys.ts';
import { HOST_PREFIX } from './section-names.ts';

/** The setting that counts, by `section.key`. */
export type Winners = ReadonlyMap<string, Setting>;

export interface Declared {
  winners: Winners;
  hostNames: readonly string[];
  files: readonly string[];
}

/** Of several settings of one key the last one counts. */
export function pickWinners(settings: readonly Setting[]): Winners {
  return new Map(settings.map((setting) => [`${setting.section}.${setting.key}`, setting]));
}

/** Fills the gaps. Gives a Config that is complete but not yet known to agree with itself (agree.ts). */
export function resolveConfig(declared: Declared, around: Surroundings): Config {
  const sources: Record<string, string> = {};
  const fill = (section: string, table: { id: string; keys: KeyTable }): unknown => {
    const values: Record<string, unknown> = {};
    for (const [key, row] of Object.entries(table.keys)) {
      const set = declared.winners.get(`${section}.${key}`);
      const found = set === undefined ? otherwise(`${table.id}.${key}`, row) : fromFile(set);
      values[row.field] = found.value;
      sources[`${section}.${key}`] = found.source;
    }
    return values;

    function otherwise(id: string, row: KeyRow): Found {
      if ('absent' in row.otherwise) return { value: undefined, source: 'default' };
      if ('default' in row.otherwise) {
        return { value: row.type.schema(around).parse(row.otherwise.default), source: 'default' };
      }
      const compute = COMPUTED[id];
      assert(compute !== undefined, `${id} is computed, but computed.ts does not say how`);
      return compute(around, { name: section.replace(HOST_PREFIX, ''), values });
    }
  };
  const hosts: Record<string, HostConfig> = Object.create(null);
  for (const name of declared.hostNames) {
    const values = fill(`${HOST_PREFIX}${name}`, { id: `${HOST_PREFIX}NAME`, keys: HOST_KEYS });
    hosts[name] = { name, ...(values as Omit<HostConfig, 'name'>) };
  }
  return {
    files: declared.files,
    daemon: fill('daemon', { id: 'daemon', keys: DAEMON_KEYS }) as DaemonConfig,
    defaults: fill('defaults', { id: 'defaults', keys: DEFAULTS_KEYS }) as DefaultsConfig,
    hosts,
    sources,
  };
}

function fromFile({ value, place }: Setting): Found {
  return { value, source: `${place.file}:${place.line}` };
}
