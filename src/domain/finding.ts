/** What `towline host doctor` says: one finding per thing looked at, each with its remedy. */
import type { ErrorCode } from './failure.ts';

export type FindingLevel = 'ok' | 'warning' | 'failure' | 'skipped';

/**
 * What mends it, exact: `here` a command to type on this machine, `host` one on the host as the user
 * of the tasks, `root` one on the host as root, `ini` a line of the host's section, `words` what
 * only a person can do.
 */
export interface Remedy {
  how: 'here' | 'host' | 'root' | 'ini' | 'words';
  text: string;
}

export interface Finding {
  /** Stable, for programs: `host-key`, `root`. */
  id: string;
  /** For people: `host key`. */
  title: string;
  level: FindingLevel;
  /** What was seen. */
  detail: string;
  cause?: string | undefined;
  remedy?: Remedy | undefined;
  /** The code under which the same trouble stops a task. */
  code?: ErrorCode | undefined;
}
