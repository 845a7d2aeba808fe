/** From what the files set to the whole configuration: later files win, gaps are filled. */
import assert from 'node:assert';
import type { Setting } from './check.ts';
import { COMPUTED, type Found, type Surroundings } from './computed.ts';
import type { Config, DaemonConfig, DefaultsConfig, S3Config, TesConfig } from './config.ts';
import type { KeyRow, KeyTable } from './key-table.ts';
import { DAEMON_KEYS, DEFAULTS_KEYS } from './keys.ts';
import { resolveHosts } from './resolve-hosts.ts';
import { resolveSlurm } from './resolve-slurm.ts';
import { S3_KEYS } from './s3-keys.ts';
import { TES_KEYS } from './tes-keys.ts';

/** The setting that counts, by `section.key`. */
export type Winners = ReadonlyMap<string, Setting>;

export interface Declared {
  winners: Winners;
  hostNames: readonly string[];
  /** Names of all sections, in the order of the files. */
  sections: readonly string[];
  files: readonly string[];
}

/** One section to be filled. */
export interface Gaps {
  /** As in the files: `host.vm`. */
  section: string;
  /** The section whose settings count, where it is another. */
  settingsOf?: string;
  /** As in the table: `host.NAME`. */
  id: string;
  keys: KeyTable;
  /** For defaults that follow from the name. */
  name: string;
  /** Values by key that count where no file of ours sets one. */
  found?: Readonly<Record<string, Found>>;
}

export type Fill = (gaps: Gaps) => unknown;

/** Of several settings of one key the last one counts. */
export function pickWinners(settings: readonly Setting[]): Winners {
  return new Map(settings.map((setting) => [`${setting.section}.${setting.key}`, setting]));
}

/** Fills the gaps. Gives a Config that is complete but not yet known to agree with itself (agree.ts). */
export function resolveConfig(declared: Declared, around: Surroundings): Config {
  const sources: Record<string, string> = {};
  const fill: Fill = ({ section, settingsOf = section, id, keys, name, found = {} }) => {
    const values: Record<string, unknown> = {};
    for (const [key, row] of Object.entries(keys)) {
      const set = declared.winners.get(`${settingsOf}.${key}`);
      const counts =
        set === undefined ? (found[key] ?? otherwise(`${id}.${key}`, row)) : fromFile(set);
      values[row.field] = counts.value;
      sources[`${section}.${key}`] = counts.source;
    }
    return values;

    function otherwise(rowId: string, row: KeyRow): Found {
      if ('absent' in row.otherwise) return { value: undefined, source: 'default' };
      if ('default' in row.otherwise) {
        return { value: row.type.schema(around).parse(row.otherwise.default), source: 'default' };
      }
      const compute = COMPUTED[rowId];
      assert(compute !== undefined, `${rowId} is computed, but computed.ts does not say how`);
      return compute(around, { name, values });
    }
  };
  const daemon = { section: 'daemon', id: 'daemon', keys: DAEMON_KEYS, name: '' };
  const defaults = { section: 'defaults', id: 'defaults', keys: DEFAULTS_KEYS, name: '' };
  const filled = {
    daemon: fill(daemon) as DaemonConfig,
    defaults: fill(defaults) as DefaultsConfig,
    tes: fill({ section: 'tes', id: 'tes', keys: TES_KEYS, name: '' }) as TesConfig,
    s3: fill({ section: 's3', id: 's3', keys: S3_KEYS, name: '' }) as S3Config,
  };
  const { defaults: values } = filled;
  const hosts = resolveHosts({ ...declared, fill, around, sources, defaults: values });
  const slurm = resolveSlurm(declared.sections, fill);
  return { files: declared.files, ...filled, ...hosts, slurm, sources };
}

function fromFile({ value, place }: Setting): Found {
  return { value, source: `${place.file}:${place.line}` };
}
