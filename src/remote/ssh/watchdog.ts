/** Notices a link that swallows everything: keepalives are sent, and nothing at all comes back. */
import type { Clock } from '../clock.ts';
import type { Wire } from './wire.ts';

export interface Watch {
  intervalMs: number;
  /** So many intervals in a row without one byte, and the link counts as dead. */
  misses: number;
  clock: Clock;
}

/**
 * Calls `dead` once when the peer has been silent for too long; the returned function stops it.
 * Any byte is a sign of life, so a slow link full of our own data is not mistaken for a dead one.
 * Turns are counted, not time: a process that was stopped for an hour gives the link a fair chance.
 */
export function watchSilence(
  socket: Pick<Wire, 'bytesRead'>,
  watch: Watch,
  dead: (silentMs: number) => void,
): () => void {
  let seen = socket.bytesRead;
  let silent = 0;
  let stop = (): void => {};
  const look = (): void => {
    silent = socket.bytesRead === seen ? silent + 1 : 0;
    seen = socket.bytesRead;
    if (silent < watch.misses) stop = watch.clock.after(watch.intervalMs, look);
    else dead(silent * watch.intervalMs);
  };
  stop = watch.clock.after(watch.intervalMs, look);
  return () => stop();
}
