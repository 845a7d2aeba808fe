/**
 * When a host is looked at again: soon while something moves, then less and less often; and a host that takes longer
 * to answer than it could is left alone for twice that time, so that looking is not what keeps it busy. What has just
 * begun is looked at first when the shortest of its kind would end: before that there was nothing to see of any.
 */
export interface LookPace {
  /** The host answered a look within so many milliseconds. */
  took(ms: number): void;
  /** Something is expected to move. */
  hurry(): void;
  /** An attempt was seen to have ended so long after it began. */
  lasted(ms: number): void;
  /** Milliseconds until the first look at an attempt that begins now. */
  first(): number;
  /** Milliseconds until the next look, `capMs` at most. */
  next(look: { moved: boolean; capMs: number }): number;
}

const FAST_MS = 30;
/** Small, so that the end of a short command is seen soon after it. */
const GROWTH = 1.25;
const REST_FACTOR = 2;
/** Of what the shortest took when it was seen, which was a little after its end. */
const SHORTEST_SHARE = 0.95;
/** On a host where all tasks take long, the first output may still come soon. */
const FIRST_MAX_MS = 200;
/** With each look: the way to a host may have become longer for good. */
const FORGET_FACTOR = 1.01;

export function createLookPace(): LookPace {
  let pauseMs = FAST_MS;
  /** What the way there and back takes at least, however little there is to do. */
  let fastestMs = Number.POSITIVE_INFINITY;
  let slownessMs = 0;
  let shortestMs: number | undefined;
  return {
    took(ms) {
      fastestMs = Math.min(ms, fastestMs * FORGET_FACTOR);
      slownessMs = ms - fastestMs;
    },
    hurry() {
      pauseMs = FAST_MS;
    },
    lasted(ms) {
      shortestMs = Math.min(ms, shortestMs ?? ms);
    },
    first: () => Math.min(FIRST_MAX_MS, SHORTEST_SHARE * (shortestMs ?? 0)),
    next({ moved, capMs }) {
      pauseMs = moved ? FAST_MS : Math.min(capMs, pauseMs * GROWTH);
      return Math.min(capMs, Math.max(pauseMs, REST_FACTOR * slownessMs));
    },
  };
}
