/** The configuration as the rest of the house sees it: typed, complete, deep-frozen. */
import type { HOST_KEYS } from './host-keys.ts';
import type { SectionValues } from './key-table.ts';
import type { DAEMON_KEYS, DEFAULTS_KEYS } from './keys.ts';
import type { Note } from './openssh/lines.ts';
import type { S3_KEYS } from './s3-keys.ts';
import type { PARTITION_KEYS, SBATCH_KEYS } from './slurm-keys.ts';
import type { TES_KEYS } from './tes-keys.ts';

/** [daemon]: stateDir, socket, logLevel, queueLimit, minFreeBytes, keepEventsMs, eventsMax. */
export type DaemonConfig = SectionValues<typeof DAEMON_KEYS>;
/** [defaults]: host, images, shell, cleanup, retries, acceptExit, outputLimitBytes, timeLimitMs, keepFailedMs, keepTasksMs, collectLimitBytes, stopGraceMs, sshConfigFiles. */
export type DefaultsConfig = SectionValues<typeof DEFAULTS_KEYS>;
/** [tes]: listen, roots, names, organization, organizationUrl, tlsCert, tlsKey. */
export type TesConfig = SectionValues<typeof TES_KEYS>;
/** [s3]: endpoint, region, credentials, profile. */
export type S3Config = SectionValues<typeof S3_KEYS>;
/** [host.NAME]: every row of host-keys.ts under its field name, and the name of the section. */
export type HostConfig = { readonly name: string } & SectionValues<typeof HOST_KEYS>;

/** What stands beside [host.NAME] for its scheduler, in the order of the files. */
export interface HostSlurm {
  readonly partitions: readonly PartitionConfig[];
  readonly rules: readonly SbatchConfig[];
}
/** [partition.HOST.NAME] and [sbatch.HOST.NAME]: the rows of slurm-keys.ts, and the name of the section. */
export type PartitionConfig = { readonly name: string } & SectionValues<typeof PARTITION_KEYS>;
export type SbatchConfig = { readonly name: string } & SectionValues<typeof SBATCH_KEYS>;

export interface Config {
  /** The files that were read, in order: of two that set the same key the later one wins. */
  readonly files: readonly string[];
  readonly daemon: DaemonConfig;
  readonly defaults: DefaultsConfig;
  readonly tes: TesConfig;
  readonly s3: S3Config;
  /** By name, in the order of the files; an object without a prototype. */
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** By name of a host, where it has such sections; an object without a prototype. */
  readonly slurm: Readonly<Record<string, HostSlurm>>;
  /** Hosts that stand in no section and are passed on the way to another, by the text of the hop. */
  readonly jumpHosts: Readonly<Record<string, HostConfig>>;
  /** The login nodes of hosts that have several, all but the first, by loginNodeId(): each complete. */
  readonly loginNodes: Readonly<Record<string, HostConfig>>;
  /** What a user should know of the files read, OpenSSH's included. */
  readonly notes: readonly Note[];
  /**
   * Where each value comes from, by `section.key`: `file:line`, `$VARIABLE` or `default`. The section
   * of a jump host is `jump.` and the text of the hop, that of a further login node `node.` and its id.
   */
  readonly sources: Readonly<Record<string, string>>;
}
