/** What every host is made with besides its settings; tests replace single parts. */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { type Logger, SILENT_LOGGER } from './logger.ts';
import type { Roads } from './ssh/roads.ts';

export interface HostDeps {
  logger: Logger;
  clock: Clock;
  /** Uniform in [0, 1): spreads reconnects. */
  random: () => number;
  /** What hosts share: login budgets and jump hosts. Without it a host shares nothing. */
  roads?: Roads | undefined;
}

/** Real time, real chance and no log, where nothing else is given. */
export function fillDeps(deps: Partial<HostDeps>): HostDeps {
  return { logger: SILENT_LOGGER, clock: SYSTEM_CLOCK, random: Math.random, ...deps };
}
