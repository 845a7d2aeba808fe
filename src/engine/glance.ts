/**
 * When a glance at a running attempt is enough: not long after a whole look that saw it run. Pure.
 * What a glance does not see (that its directory is gone, a mark of a cancel, a process of its user that has its
 * supervisor's number now) the next whole look does.
 */
import type { AttemptFacts } from '../script/status.ts';
import type { Verdict } from '../script/verdict.ts';

const WHOLE_EVERY_MS = 30_000;
/** A whole look is 0.4 ms of the host's processor; of thousands at once none would be answered in time. */
const WHOLE_AT_ONCE = 500;

export interface Known {
  facts: AttemptFacts;
  /** When they were told by a whole look. */
  atMs: number;
}

/** What the next look may go by, after one that told these facts; undefined: it must be a whole one. */
export function knownAfter(
  before: Known | undefined,
  { facts, verdict, nowMs }: { facts: AttemptFacts; verdict: Verdict; nowMs: number },
): Known | undefined {
  const { stdoutBytes, stderrBytes } = facts;
  if (verdict.kind !== 'running' || stdoutBytes === undefined || stderrBytes === undefined) {
    return undefined;
  }
  if (before === undefined) return { facts, atMs: nowMs };
  return nowMs - before.atMs < WHOLE_EVERY_MS ? before : undefined;
}

/** Those that the next look asks for, of all that run; the others are left for the looks after it. */
export function turnOf<T extends { known?: Known | undefined }>(
  all: readonly T[],
): { asked: T[]; left: boolean } {
  const whole = all.filter(({ known }) => known === undefined);
  if (whole.length <= WHOLE_AT_ONCE) return { asked: [...all], left: false };
  const late = new Set(whole.slice(WHOLE_AT_ONCE));
  return { asked: all.filter((one) => !late.has(one)), left: true };
}
