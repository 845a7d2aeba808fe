/** Removes by itself what was kept of failed work once its time is over. */
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';

const INTERVAL_MS = 3_600_000;
/** Further than this a clock does not wander by itself in that time: it was set. */
const STEP_MS = 600_000;

interface HousekeepingDeps {
  service: Service;
  log: Logger;
  /** The clock that ages are told by, which may be set at any time. */
  now: () => number;
  /** One that goes on evenly. */
  steady?: () => number;
}

export function startHousekeeping(deps: HousekeepingDeps): { stop(): void } {
  const { service, log, now, steady = () => performance.now() } = deps;
  let difference = now() - steady();
  const look = async (): Promise<void> => {
    const stepMs = now() - steady() - difference;
    difference += stepMs;
    // What was kept for a week would all be gone, had somebody set the clock a year ahead by mistake.
    if (Math.abs(stepMs) > STEP_MS) {
      log.warn({ stepMs }, 'the clock was set: kept work is looked through an hour later');
      return;
    }
    const report = await service.gc({ dryRun: false, auto: true });
    const { cleaned, forgotten, removed, away } = report;
    log.info(
      {
        ...{ cleaned: cleaned.length, forgotten: forgotten.length, away },
        removed: removed.filter(({ kind }) => kind !== 'task'),
      },
      'kept work was looked through',
    );
  };
  const timer = setInterval(() => {
    look().catch((err: unknown) => log.warn({ err }, 'cannot look through kept work'));
  }, INTERVAL_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
