/**
 * Gives back what the engine of Node keeps for garbage. After ten thousand tasks came in by one request it holds 300 MB for 30 MB
 * that are in use, and a daemon that then waits for hours makes too little garbage to have it looked at again.
 */
import { performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const LOOK_EVERY_MS = 5_000;
/** Below this there is little to win: a daemon with nothing to do has half of it. */
const WORTH_BYTES = 64 * 1024 * 1024;
/** A collection stops the loop for about a millisecond for each megabyte in use. */
const IDLE_BELOW = 0.2;

export interface HeapLook {
  /** What is held now. */
  heldBytes: number;
  /** What was held after the last trim. */
  trimmedBytes: number;
  /** Share of the time since the last look in which the event loop was busy. */
  busy: number;
}

/** Only when nobody waits, and only when there may be as much to win as was in use the last time. */
export function isWorthTrim({ heldBytes, trimmedBytes, busy }: HeapLook): boolean {
  return busy < IDLE_BELOW && heldBytes > 2 * trimmedBytes + WORTH_BYTES;
}

/** Looks now and then until it is disposed; does not keep the process alive. */
export function startMemoryTrim(): Disposable {
  const collect = collector();
  let trimmedBytes = 0;
  let use = performance.eventLoopUtilization();
  const look = (): void => {
    const before = use;
    use = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(use, before).utilization;
    const heldBytes = getHeapStatistics().total_heap_size;
    if (!isWorthTrim({ heldBytes, trimmedBytes, busy })) return;
    collect();
    trimmedBytes = getHeapStatistics().total_heap_size;
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Pages that were emptied go back to the system with the last resort alone. */
export function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: object) => void;
  return () => gc({ type: 'major', flavor: 'last-resort', execution: 'sync' });
}
