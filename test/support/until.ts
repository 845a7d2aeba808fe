import { PATIENCE } from './patience.ts';

/** Asking may cost a process: most of the time is left to what is waited for. */
const PAUSES = { timesTheAsking: 4, minMs: 5, maxMs: 250 };

/** Waits for a condition instead of for a time; the limit is that of an idle machine (PATIENCE). */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: () => string = () => 'the condition',
  limitMs = 30_000,
): Promise<void> {
  const patienceMs = limitMs * PATIENCE;
  const end = performance.now() + patienceMs;
  const { timesTheAsking, minMs, maxMs } = PAUSES;
  for (;;) {
    const asked = performance.now();
    if (await condition()) return;
    const now = performance.now();
    if (now > end) throw new Error(`not met within ${patienceMs} ms: ${what()}`);
    const pause = Math.min(maxMs, Math.max(minMs, timesTheAsking * (now - asked)));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
