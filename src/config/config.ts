/** The configuration as the rest of the house sees it: typed, complete, deep-frozen. */
import type { HOST_KEYS } from './host-keys.ts';
import type { SectionValues } from './key-table.ts';
import type { DAEMON_KEYS, DEFAULTS_KEYS } from './keys.ts';
import type { Note } from './openssh/lines.ts';

/** [daemon]: stateDir, socket, logLevel, queueLimit, minFreeBytes, keepEventsMs, eventsMax. */
export type DaemonConfig = SectionValues<typeof DAEMON_KEYS>;
/** [defaults]: host, images, shell, cleanup, retries, acceptExit, outputLimitBytes, timeLimitMs, keepFailedMs, keepTasksMs, collectLimitBytes, stopGraceMs, sshConfigFiles. */
export type DefaultsConfig = SectionValues<typeof DEFAULTS_KEYS>;
/** [host.NAME]: every row of host-keys.ts under its field name, and the name of the section. */
export type HostConfig = { readonly name: string } & SectionValues<typeof HOST_KEYS>;

export interface Config {
  /** The files that were read, in order: of two that set the same key the later one wins. */
  readonly files: readonly string[];
  readonly daemon: DaemonConfig;
  readonly defaults: DefaultsConfig;
  /** By name, in the order of the files; an object without a prototype. */
  readonly hosts: Readonly<Record<string, HostConfig>>;
  /** Hosts that stand in no section and are passed on the way to another, by the text of the hop. */
  readonly jumpHosts: Readonly<Record<string, HostConfig>>;
  /** What a user should know of the files read, OpenSSH's included. */
  readonly notes: readonly Note[];
  /**
   * Where each value comes from, by `section.key`: `file:line`, `$VARIABLE` or `default`. The section
   * of a jump host is `jump.` and the text of the hop.
   */
  readonly sources: Readonly<Record<string, string>>;
}
