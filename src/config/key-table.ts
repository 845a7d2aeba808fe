/** The form of a row of the table of keys. The rows are in keys.ts, host-keys.ts and ssh-keys.ts. */
import type { ValueType } from './values.ts';

/** One row: what the key is called in Config (units last), what it takes, and what it means. */
export interface KeyRow {
  field: string;
  type: ValueType<unknown>;
  /** One sentence. */
  doc: string;
  /** A value as it may stand in the file, other than the default. */
  example: string;
  /** Refused for a host of type local. */
  sshOnly?: true;
  /** Refused for a host without scheduler = slurm. */
  slurmOnly?: true;
  /** The key of [host.NAME] that this one sets (section [ssh] only). */
  sets?: string;
  otherwise: Otherwise;
}

/**
 * What a key is when no file sets it. default: this text; computed: found out when the configuration
 * is loaded (computed.ts); absent: undefined in Config, which means this.
 */
export type Otherwise = { default: string } | { computed: string } | { absent: string };

export type KeyTable = Readonly<Record<string, KeyRow>>;

/** The values of a section as Config has them: one field for each row. */
export type SectionValues<K extends KeyTable> = {
  readonly [Name in keyof K as K[Name]['field']]: RowValue<K[Name]>;
};

type RowValue<R extends KeyRow> =
  R['type'] extends ValueType<infer T>
    ? R['otherwise'] extends { absent: string }
      ? T | undefined
      : T
    : never;
