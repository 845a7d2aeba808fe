/** A user who does not give up: asks again while the daemon is away or cannot take it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../src/domain/failure.ts';

const PAUSE_MS = 100;
const PATIENCE_MS = 60_000;
const PASSING = new Set(['DAEMON_NOT_RUNNING', 'DAEMON_STOPPING', 'STORE_FULL']);

/** Gives the answer, or undefined when the daemon refuses for good. @throws when patience is over */
export async function persist<T>(ask: () => Promise<T>): Promise<T | undefined> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!PASSING.has(error.code)) return undefined;
      if (performance.now() > end) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
