/** What is asked of a daemon in a walk, and what must be true in the end whatever happened to it. */
import type { DaemonOptions, TestDaemon } from '../../support/daemon.ts';
import type { Ask } from './lives.ts';

export interface Scenario {
  /** One line for --help. */
  about: string;
  options?: DaemonOptions;
  /** Makes files and payload; nothing runs yet. */
  begin(daemon: TestDaemon): Play | Promise<Play>;
}

export interface Play {
  /**
   * Asks for all that is to happen and resolves when it has. Repeated from the beginning when the daemon
   * died after that, so asking again must be harmless, as it must be for a user.
   */
  act(ask: Ask): Promise<void>;
  /** Asked of a living daemon. @throws AssertionError */
  look(ask: Ask): Promise<void>;
  /** Looked at from outside, with no daemon. @throws AssertionError */
  remains(): Promise<void>;
  /** Takes away what it put outside the daemon's directories. */
  remove(): void;
}
