/** What every host is made with besides its settings; tests replace single parts. */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { type Logger, SILENT_LOGGER } from './logger.ts';

export interface HostDeps {
  logger: Logger;
  clock: Clock;
  /** Uniform in [0, 1): spreads reconnects. */
  random: () => number;
}

/** Real time, real chance and no log, where nothing else is given. */
export function fillDeps(deps: Partial<HostDeps>): HostDeps {
  return { logger: SILENT_LOGGER, clock: SYSTEM_CLOCK, random: Math.random, ...deps };
}
