/** Shows and pins the keys of a host. */
import { AppError } from '../domain/failure.ts';
import type { Seats } from './seats.ts';
import type { Service } from './service.ts';

export function createTrust({ seats }: { seats: Seats }): Service['trust'] {
  return async (name, pin) => {
    const { host } = seats.get(name);
    const { keys } = host;
    if (keys === undefined) {
      throw new AppError('HOST_WITHOUT_KEYS', `host ${name} is this machine: it has no host keys`, {
        context: { host: name },
      });
    }
    const report = await (pin === undefined ? keys.offered() : keys.pin(pin));
    // A host that was refused for its key would be tried again only much later.
    if (pin !== undefined) host.wake();
    return report;
  };
}
