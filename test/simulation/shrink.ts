/** A history that breaks a promise, made short: choices left out or made tame as long as the same promise breaks. */
import { type History, type HistoryOptions, runHistory } from './history.ts';

/** Bounded: after so many trials, or steps of them, the shortest so far is good enough. */
const TRIALS = 1_500;
const STEPS = 1_000_000;

/** Gives the shortest history found that breaks the same promise, with its steps told. */
export function shrink(found: History, options: HistoryOptions = {}): History {
  const promise = found.violation?.promise;
  let best = found;
  let trials = 0;
  let steps = 0;
  const goesOn = (): boolean => trials < TRIALS && steps < STEPS;
  const better = (drawn: readonly number[]): boolean => {
    trials += 1;
    const tried = runHistory({ drawn }, options);
    steps += tried.steps;
    const shorter = weight(tried) < weight(best);
    if (tried.violation?.promise !== promise || !shorter) return false;
    best = tried;
    return true;
  };
  for (let moved = true; moved && goesOn(); ) {
    moved = false;
    for (let size = 64; size >= 1 && goesOn(); size = Math.floor(size / 2)) {
      for (let at = 0; at < best.drawn.length && goesOn(); ) {
        const { drawn } = best;
        const without = [...drawn.slice(0, at), ...drawn.slice(at + size)];
        const tame = [...drawn.slice(0, at), ...drawn.slice(at, at + size).map(() => 0)];
        const isTame = drawn.slice(at, at + size).every((one) => one === 0);
        if (better(without) || (!isTame && better([...tame, ...drawn.slice(at + size)])))
          moved = true;
        else at += size;
      }
    }
  }
  return runHistory({ drawn: best.drawn }, { ...options, tracing: true });
}

/** Faults weigh most, then what was not tame, then steps. */
function weight({ faults, drawn, steps }: History): number {
  const count = Object.values(faults).reduce((sum, one) => sum + one, 0);
  return count * 10_000 + drawn.filter((one) => one !== 0).length * 100 + steps / 100;
}

const HEAD_LINES = 150;
const TAIL_LINES = 10;

/** The steps to be read: what never ends is told only at its beginning and where it was given up. */
export function told({ trace }: History): string {
  const left = trace.length - HEAD_LINES - TAIL_LINES;
  if (left <= 0) return trace.join('\n');
  const middle = `           … ${left} more of these …`;
  return [...trace.slice(0, HEAD_LINES), middle, ...trace.slice(-TAIL_LINES)].join('\n');
}
