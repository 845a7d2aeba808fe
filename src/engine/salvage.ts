/** What becomes of an attempt whose supervisor was killed: does its payload live, and what did it leave? */
import type { AttemptToken } from '../domain/task.ts';
import type { SalvagedExit } from '../script/records.ts';
import { parseSalvage, parseSurvivors, salvageText, survivorsText } from '../script/sweep.ts';
import type { Seat } from './seats.ts';
import { sleep } from './sleep.ts';

export type Salvaged =
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
  nonce: string;
  signal: AbortSignal;
}): Promise<Salvaged> {
  const { seat, token, dir, nonce, signal } = place;
  const look = await seat.host.run(survivorsText({ dir, token }), {
    purpose: `looking for what lives of ${token}`,
    signal,
  });
  const { payload, crew } = parseSurvivors(look.output);
  if (payload.length > 0 || crew.length > 0) {
    await sleep(SURVIVOR_PAUSE_MS, signal);
    return { kind: 'alive' };
  }
  const reply = await seat.host.run(salvageText({ dir, nonce }), {
    purpose: `reading what ${token} left`,
    signal,
  });
  const exit = parseSalvage(reply.output);
  return exit === undefined ? { kind: 'dead' } : { kind: 'exited', exit };
}
