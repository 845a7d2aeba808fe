/** First contact with hosts that tasks wait for; what is found is told by the host's own news. */
import { isAppError } from '../domain/failure.ts';
import type { Logger } from './logger.ts';
import type { Seat } from './seats.ts';

export interface Contacts {
  make(seat: Seat): void;
  /** Asked just now, or in vain a moment ago. */
  underWay(seat: Seat): boolean;
}

/** A host that was reached but cannot be looked at (its root is wrong) is asked again this often. */
const AGAIN_MS = 10_000;

export function createContacts(deps: { log: Logger; again: () => void }): Contacts {
  const seats = new Set<Seat>();
  return {
    underWay: (seat) => seats.has(seat),
    make(seat) {
      seats.add(seat);
      seat.facts().then(
        () => seats.delete(seat),
        (error: unknown) => {
          const code = isAppError(error) ? error.code : 'INTERNAL';
          deps.log.info(
            { host: seat.name, code },
            'a host that tasks wait for cannot be looked at',
          );
          // Trouble with the link ends with its own news.
          if (code.startsWith('SSH_')) seats.delete(seat);
          else setTimeout(() => seats.delete(seat) && deps.again(), AGAIN_MS).unref();
        },
      );
    },
  };
}
