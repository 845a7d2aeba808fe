/** Tells the log how a link stands: each change, but a host that stays away only now and then. */
import type { HostDeps } from '../deps.ts';
import type { HostLinkState } from '../host.ts';

const REMIND_MS = 600_000;

export function createLinkLog(
  host: string,
  { logger, clock }: Pick<HostDeps, 'logger' | 'clock'>,
): (state: HostLinkState) => void {
  let told: { what: string; at: number } | undefined;
  let quiet = 0;
  return (state) => {
    const code = 'code' in state ? state.code : '';
    const what = `${state.kind} ${code}`;
    const now = clock.now();
    const same = told?.what === what && now - told.at < REMIND_MS;
    if (same && code !== '') {
      quiet += 1;
      logger.debug({ host, ...state }, `link is still ${state.kind}`);
      return;
    }
    const more = quiet > 0 ? { triesNotTold: quiet } : {};
    logger.info({ host, ...state, ...more }, `link is ${state.kind}`);
    told = { what, at: now };
    quiet = 0;
  };
}
