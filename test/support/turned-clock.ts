/** A clock that a test turns by hand. */
import type { Clock } from '../../src/remote/clock.ts';

export interface TurnedClock extends Clock {
  /** Lets time pass, calling what falls due in order, with room for promises in between. */
  turn(ms: number): Promise<void>;
  /** Timers that wait. */
  waiting(): number;
}

export function turnedClock(startMs = 1_000_000): TurnedClock {
  let now = startMs;
  let due: Array<{ at: number; act: () => void }> = [];
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    after(ms, act) {
      const entry = { at: now + ms, act };
      due.push(entry);
      return () => {
        due = due.filter((other) => other !== entry);
      };
    },
    waiting: () => due.length,
    async turn(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = due.filter((entry) => entry.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        due = due.filter((entry) => entry !== next);
        now = Math.max(now, next.at);
        next.act();
        await settle();
      }
      now = end;
    },
  };
}
