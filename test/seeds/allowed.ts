/**
 * Which ends of an attempt are right after which faults, as one pure function. "Right" is what a user was promised:
 * an end that says what happened, never a success with wrong bytes, never a second start.
 */
import type { Kind } from './plan.ts';

/** How the bytes that came compare with those that were printed. `part`: a beginning of them. */
export type Compared = 'whole' | 'part' | 'wrong';

/** How one attempt ended, as seen from outside. */
export interface Outcome {
  result: 'succeeded' | 'failed' | 'error' | 'cancelled' | 'interrupted';
  /** The exit code that was reported. */
  code?: number | undefined;
  failure?: { code: string; hint: string } | undefined;
  /** Lines in the ledger of the payloads. */
  starts: number;
  /** The host says by its files that the ticket was taken by a cancel. */
  neverStarted: boolean;
  /** The code of the payload when nothing disturbs it. */
  expectedCode: number;
  streams: Record<'stdout' | 'stderr', Compared>;
  /** Absent: none was declared, or none is due at such an end. */
  output?: Compared | 'absent' | undefined;
}

type Faults = ReadonlySet<Kind>;

/** Gives what is wrong with an end, a sentence each; none when it is allowed. */
export function allowed(faults: Faults, outcome: Outcome): string[] {
  return [
    ...judgeStarts(outcome),
    ...judgeBytes(outcome),
    ...judgeFailure(outcome),
    ...judgeResult(faults, outcome),
  ];
}

function judgeStarts({ starts, result, code, neverStarted }: Outcome): string[] {
  if (starts > 1) return [`started ${starts} times`];
  if (starts === 1 && neverStarted) return ['started, though its ticket was taken by a cancel'];
  const ended = result === 'succeeded' || (result === 'failed' && code !== undefined);
  return starts === 0 && ended ? ['ended with an exit code, but never started'] : [];
}

/** Whatever happens, what is shown was printed, in this order and without a gap. */
function judgeBytes({ streams, output }: Outcome): string[] {
  const wrong = Object.entries(streams).filter(([, compared]) => compared === 'wrong');
  const lines = wrong.map(([stream]) => `${stream} has bytes that were never printed there`);
  if (output === 'wrong' || output === 'part') lines.push('an output has wrong bytes');
  return lines;
}

function judgeFailure({ result, failure }: Outcome): string[] {
  const needs = result === 'failed' || result === 'error' || result === 'interrupted';
  if (!needs) return [];
  if (failure === undefined || failure.code === '') return [`${result} without a code`];
  if (failure.code === 'INTERNAL') return ['a bug: INTERNAL'];
  return failure.hint.trim() === '' ? [`${failure.code} without a hint`] : [];
}

function judgeResult(faults: Faults, outcome: Outcome): string[] {
  switch (outcome.result) {
    case 'succeeded':
      return judgeSuccess(outcome);
    case 'cancelled':
      return faults.has('cancel') ? [] : ['cancelled, but nobody asked for it'];
    case 'interrupted':
      return faults.has('supervisor-kill')
        ? []
        : ['interrupted, but its supervisor was left alone'];
    case 'failed':
      return outcome.failure?.code === 'TASK_EXIT_CODE'
        ? judgeExitCode(faults, outcome)
        : [`failed with ${outcome.failure?.code}, which no fault explains`];
    case 'error':
      return judgeError(faults, outcome.failure?.code ?? '');
  }
}

function judgeSuccess({ streams, output, expectedCode }: Outcome): string[] {
  const lines: string[] = [];
  if (expectedCode !== 0) lines.push(`succeeded with a payload that ends with ${expectedCode}`);
  for (const [stream, compared] of Object.entries(streams)) {
    if (compared === 'part') lines.push(`succeeded, but ${stream} is not whole`);
  }
  if (output === 'absent') lines.push('succeeded, but an output is not there');
  return lines;
}

/** On a full disk the payload itself fails as it must; otherwise its code and its bytes are its own. */
function judgeExitCode(faults: Faults, { code, expectedCode, streams }: Outcome): string[] {
  if (faults.has('remote-disk-full')) return [];
  const lines: string[] = [];
  if (code !== expectedCode) lines.push(`ended with ${code} in place of ${expectedCode}`);
  for (const [stream, compared] of Object.entries(streams)) {
    if (compared === 'part') lines.push(`${stream} is not whole, and nothing says so`);
  }
  return lines;
}

/** Errors that may end an attempt, by the fault that may cause them. */
const ERRORS_OF: Partial<Record<Kind, readonly string[]>> = {
  'copier-kill': ['STREAM_COPIER_DIED'],
  'remote-disk-full': [
    'HOST_NO_SPACE',
    'RUNTIME_START_FAILED',
    'STREAM_COPIER_DIED',
    'OUTPUT_MISSING',
  ],
};

function judgeError(faults: Faults, code: string): string[] {
  const explained = [...faults].some((kind) => ERRORS_OF[kind]?.includes(code));
  return explained ? [] : [`ended by ${code}, which no fault explains`];
}
