/**
 * Which of the attempts that wait for their ticket to be taken are asked for in a look: so many a second, however many
 * wait, and fewer of those whose job waits in the queue, which the scheduler tells of. One that waits alone is asked for
 * in every look. Pure but for its memory of whose turn it is.
 */

export interface Turns<T> {
  /** Those whose turn it is, of all that wait. */
  pick(waiting: readonly T[]): T[];
}

/** Between two questions, whoever they are for. */
export const EACH_MS = { soon: 4, queued: 40 };

export function createTicketTurns<T extends { isQueued: () => boolean }>(
  now: () => number,
): Turns<T> {
  const lanes = { soon: lane(EACH_MS.soon, now), queued: lane(EACH_MS.queued, now) };
  return {
    pick(waiting) {
      const { soon = [], queued = [] } = Object.groupBy(waiting, (one) =>
        one.isQueued() ? 'queued' : 'soon',
      );
      return [...lanes.soon(soon), ...lanes.queued(queued)];
    },
  };
}

/** All at first, then as many as the time since the last turn is worth, one after the other and round again. */
function lane(eachMs: number, now: () => number) {
  let at = Number.NEGATIVE_INFINITY;
  let next = 0;
  return <T>(waiting: readonly T[]): T[] => {
    const share = Math.min(waiting.length, Math.floor((now() - at) / eachMs));
    if (share === 0) return [];
    at = now();
    if (next >= waiting.length) next = 0;
    const turn = [...waiting.slice(next), ...waiting.slice(0, next)].slice(0, share);
    next = (next + share) % waiting.length;
    return turn;
  };
}
