/** Removes by itself what was kept of failed work once its time is over. */
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';

const INTERVAL_MS = 3_600_000;

interface HousekeepingDeps {
  service: Service;
  log: Logger;
}

export function startHousekeeping({ service, log }: HousekeepingDeps): { stop(): void } {
  const timer = setInterval(() => {
    service.gc({ dryRun: false, auto: true }).then(
      (report) =>
        log.info(
          {
            cleaned: report.cleaned.length,
            forgotten: report.forgotten.length,
            removed: report.removed.filter(({ kind }) => kind !== 'task'),
            away: report.away,
          },
          'kept work was looked through',
        ),
      (err: unknown) => log.warn({ err }, 'cannot look through kept work'),
    );
  }, INTERVAL_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
