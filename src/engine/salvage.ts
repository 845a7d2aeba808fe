/** What becomes of an attempt whose supervisor was killed: does its payload live, and what did it leave? */
import type { SupervisorRecord } from '../domain/state.ts';
import type { AttemptToken } from '../domain/task.ts';
import type { SalvagedExit } from '../script/records.ts';
import {
  parseSalvage,
  parseSurvivors,
  type Survivors,
  salvageText,
  survivorsText,
} from '../script/sweep.ts';
import type { Seat } from './seats.ts';
import { sleep } from './sleep.ts';

export type Salvaged =
  /** Or it cannot be seen from here. */
  | { kind: 'alive' }
  | { kind: 'dead' }
  /** The command's own code, or the record that the supervisor had no time to name. */
  | { kind: 'exited'; exit: SalvagedExit };

/** How long a living payload is left alone before it is looked for again. */
const SURVIVOR_PAUSE_MS = 2_000;

/** Looks once. @throws HOST_* SSH_* */
export async function salvage(place: {
  seat: Seat;
  token: AttemptToken;
  dir: string;
  launch: SupervisorRecord;
  signal: AbortSignal;
}): Promise<Salvaged> {
  const { seat, token, dir, launch, signal } = place;
  const look = await seat.host.run(survivorsText({ dir, token, on: launch }), {
    purpose: `looking for what lives of ${token}`,
    signal,
  });
  if (mayLive(parseSurvivors(look.output))) {
    await sleep(SURVIVOR_PAUSE_MS, signal);
    return { kind: 'alive' };
  }
  const reply = await seat.host.run(salvageText({ dir, nonce: launch.nonce }), {
    purpose: `reading what ${token} left`,
    signal,
  });
  const exit = parseSalvage(reply.output);
  return exit === undefined ? { kind: 'dead' } : { kind: 'exited', exit };
}

/** Nobody here means nobody at all only on its own machine. */
export function mayLive({ elsewhere, payload, crew }: Survivors): boolean {
  return elsewhere === true || payload.length > 0 || crew.length > 0;
}
