/** What a person does with a host: pause, drain, resume, set up, forget. */
import type { HostMode } from '../domain/host-mode.ts';
import type { ServiceDeps } from './create-service.ts';
import type { Seat } from './seats.ts';
import type { HostReport, Service } from './service.ts';
import { createTurns } from './turns.ts';

type HostActs = Pick<Service, 'setHostMode' | 'setupHost'>;

export function createHostActs(deps: ServiceDeps, report: (seat: Seat) => HostReport): HostActs {
  const { seats, placer } = deps;
  const inTurn = createTurns<string>();
  return {
    setHostMode: (name, mode) =>
      inTurn(name, async () => {
        await changeMode(deps, seats.get(name), mode);
        return report(seats.get(name));
      }),
    async setupHost(name) {
      const seat = seats.get(name);
      seat.host.wake();
      await seat.look();
      await seat.ready();
      placer.look();
      return report(seat);
    },
  };
}

/** Written down first: a daemon that dies in the middle comes back to what was asked. */
export async function changeMode(deps: ServiceDeps, seat: Seat, mode: HostMode): Promise<void> {
  const { modes, subscribers, dispatcher, placer } = deps;
  const event = await modes.set(seat.name, mode);
  if (mode === 'paused') await seat.pause();
  else seat.resume();
  if (event !== undefined) subscribers.wake(event.seq);
  if (mode !== 'paused') dispatcher.wakeHost(seat.name);
  placer.look();
}
