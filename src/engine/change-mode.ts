/** Pauses, drains and resumes a host. */
import type { HostMode } from '../domain/host-mode.ts';
import type { ServiceDeps } from './create-service.ts';
import type { Seat } from './seats.ts';

/** Written down first: a daemon that dies in the middle comes back to what was asked. */
export async function changeMode(deps: ServiceDeps, seat: Seat, mode: HostMode): Promise<void> {
  const { modes, subscribers, dispatcher, placer } = deps;
  const event = await modes.set(seat.name, mode);
  if (mode === 'paused') await seat.pause();
  else seat.resume();
  if (event !== undefined) subscribers.wake();
  if (mode !== 'paused') dispatcher.wakeHost(seat.name);
  placer.look();
}
