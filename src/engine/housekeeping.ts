/** Removes by itself what was kept of failed work once its time is over. */
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';
import type { EngineSettings } from './settings.ts';

const INTERVAL_MS = 3_600_000;

interface HousekeepingDeps {
  service: Service;
  settings: () => EngineSettings;
  log: Logger;
}

export function startHousekeeping({ service, settings, log }: HousekeepingDeps): { stop(): void } {
  const timer = setInterval(() => {
    const olderThanMs = settings().defaults.keepFailedMs;
    service.gc({ olderThanMs, dryRun: false }).then(
      (report) =>
        log.info(
          { cleaned: report.cleaned.length, forgotten: report.forgotten.length },
          'kept work was looked through',
        ),
      (err: unknown) => log.warn({ err }, 'cannot look through kept work'),
    );
  }, INTERVAL_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
