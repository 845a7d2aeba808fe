/** What a person does with a host: pause, drain, resume, set up, forget. */
import { changeMode } from './change-mode.ts';
import type { ServiceDeps } from './create-service.ts';
import { forgetHost } from './forget-host.ts';
import { runHostSetup } from './host-setup.ts';
import type { Seat } from './seats.ts';
import type { HostReport, Service } from './service.ts';
import { createTurns } from './turns.ts';

type HostActs = Pick<Service, 'setHostMode' | 'setupHost' | 'setupApptainer' | 'forgetHost'>;

export function createHostActs(deps: ServiceDeps, report: (seat: Seat) => HostReport): HostActs {
  const { seats, placer } = deps;
  const inTurn = createTurns<string>();
  return {
    setHostMode: (name, mode) =>
      inTurn(name, async () => {
        await changeMode(deps, seats.get(name), mode);
        return report(seats.get(name));
      }),
    forgetHost: (name, options) => inTurn(name, () => forgetHost(deps, seats.get(name), options)),
    setupApptainer: async (name, request) => runHostSetup(seats.get(name), request),
    async setupHost(name) {
      const seat = seats.get(name);
      seat.host.wake();
      await seat.look({ makeRoot: true });
      await seat.ready();
      placer.look();
      return report(seat);
    },
  };
}
