/**
 * How an attempt ends: the verdict on an exit record, whether another attempt follows by the task's
 * policy, and what becomes of its directory on the host.
 */
import type { Decision } from './decision.ts';
import type { Effect } from './effects.ts';
import type { NewsEvent } from './events.ts';
import { AppError, type FailureRecord } from './failure.ts';
import type {
  Cleanup,
  CollectedOutput,
  EndedState,
  ExitRecord,
  KeptOutputs,
  TaskState,
} from './state.ts';
import type { RetryReason, Task } from './task.ts';

interface Ending {
  kind: 'failed' | 'error' | 'interrupted';
  failure: FailureRecord;
  now: number;
  exit?: ExitRecord | undefined;
  outputs?: CollectedOutput[] | undefined;
}

/** The command ended: by its code and limits it succeeded or failed. */
export function concludeExit(
  task: Task,
  end: {
    exit: ExitRecord;
    outputs: CollectedOutput[];
    kept?: KeptOutputs | undefined;
    now: number;
  },
): Decision {
  const failure = judgeExit(task, end.exit);
  if (failure !== undefined) return retryOrEnd(task, { kind: 'failed', failure, ...end });
  return ended(task, { ...common(task.state, end), kind: 'succeeded' });
}

/** Nothing was started: an earlier task did the same. */
export function concludeReused(
  task: Task,
  { image, reused, exit, outputs, kept }: NewsEvent & { kind: 'reused' },
  now: number,
): Decision {
  const state = common(task.state, { exit, outputs, kept, now });
  return ended(task, { ...state, image, reused, kind: 'succeeded' });
}

/** Why an exit record is not a success, or undefined when it is one. */
export function judgeExit(task: Task, exit: ExitRecord): FailureRecord | undefined {
  const context = { task: task.id, code: exit.code };
  const fail = (...[code, message]: ConstructorParameters<typeof AppError>): FailureRecord =>
    new AppError(code, message, { context }).toRecord();
  switch (exit.limit) {
    case 'time':
      return fail(
        'TASK_TIME_LIMIT',
        `the command of task ${task.id} ran longer than its limit${limitText(task)} and was ended`,
      );
    case 'stdout':
    case 'stderr':
      return fail(
        'TASK_OUTPUT_LIMIT',
        `the command of task ${task.id} printed more than the cap on ${exit.limit} and was ended`,
      );
    case 'memory':
      return fail(
        'TASK_OUT_OF_MEMORY',
        `the command of task ${task.id} was killed for lack of memory`,
      );
    case 'job':
      return fail(
        'TASK_INTERRUPTED',
        `the command of task ${task.id} was ended by the scheduler, which did not say why`,
      );
    case undefined:
  }
  const code = exit.code ?? exit.runtimeCode;
  if (task.spec.acceptExit.includes(code)) return undefined;
  return fail(
    'TASK_EXIT_CODE',
    `the command of task ${task.id} ended with code ${code}${signalName(code)}`,
  );
}

/** Ends the attempt, or orders another one if the task's policy says so. */
export function retryOrEnd(task: Task, ending: Ending): Decision {
  const end = endWith(task, ending);
  if (end.kind !== 'next' || !mayRetry(task, ending)) return end;
  const again = nextAttempt(task, end.task.state as EndedState, ending.now);
  return { kind: 'next', task: again, effects: cleaningOf(end.effects) };
}

/** The task with a new attempt queued; what the last one came to is kept in the history. */
export function nextAttempt(task: Task, end: EndedState, now: number): Task {
  const { kind: result, attempt, host, image, exit, finishedAt, cleanup } = end;
  const root = end.launch?.root;
  const failure = 'failure' in end ? end.failure : undefined;
  const past = { attempt, host, root, image, result, failure, exit, finishedAt, cleanup };
  return {
    ...task,
    history: [...task.history, past],
    state: { kind: 'queued', attempt: attempt + 1, since: now },
  };
}

/** The end of an attempt is not the end of the task while another one follows. */
function cleaningOf(effects: Effect[] | 'same'): Effect[] | 'same' {
  return effects === 'same' ? effects : effects.filter(({ kind }) => kind === 'clean');
}

/** Ends the task with a failure. */
export function endWith(task: Task, ending: Ending): Decision {
  const state = { ...common(task.state, ending), kind: ending.kind, failure: ending.failure };
  return ended(task, state);
}

/** Nothing of the attempt is left; it was cancelled. */
export function cancelled(task: Task, now: number, exit?: ExitRecord): Decision {
  return ended(task, { ...common(task.state, { now, exit }), kind: 'cancelled' });
}

function mayRetry(task: Task, ending: Ending): boolean {
  if (task.state.attempt > task.spec.retries) return false;
  const reason: RetryReason | undefined =
    ending.kind === 'interrupted'
      ? 'interrupted'
      : ending.failure.code === 'TASK_TIME_LIMIT'
        ? 'time-limit'
        : ending.failure.code === 'TASK_EXIT_CODE'
          ? 'exit'
          : undefined;
  return reason !== undefined && task.spec.retryOn.includes(reason);
}

function common(
  state: TaskState,
  end: {
    now: number;
    exit?: ExitRecord | undefined;
    outputs?: CollectedOutput[] | undefined;
    kept?: KeptOutputs | undefined;
  },
) {
  return {
    attempt: state.attempt,
    host: 'host' in state ? state.host : undefined,
    ...('gpus' in state && { gpus: state.gpus }),
    image: 'image' in state ? state.image : undefined,
    launch: 'launch' in state ? state.launch : undefined,
    exit: end.exit ?? ('exit' in state ? state.exit : undefined),
    outputs: end.outputs ?? [],
    ...(end.kept !== undefined && { kept: end.kept }),
    finishedAt: end.now,
    onHost: mayBeOnHost(state),
  };
}

type Unsettled = EndedState extends infer S
  ? S extends EndedState
    ? Omit<S, 'cleanup'> & { onHost: boolean }
    : never
  : never;

function ended(task: Task, unsettled: Unsettled): Decision {
  const { onHost, ...rest } = unsettled;
  const cleanup = onHost ? cleanupOf(task, rest.kind) : 'none';
  const { attempt } = rest;
  const effects: Effect[] = cleanup === 'pending' ? [{ kind: 'clean', attempt }] : [];
  if (task.spec.onFinish !== undefined) effects.push({ kind: 'finish', attempt });
  return { kind: 'next', task: { ...task, state: { ...rest, cleanup } as TaskState }, effects };
}

/** False while nothing of the attempt was ever published on the host. */
function mayBeOnHost(state: TaskState): boolean {
  if (state.kind === 'cancelling') return state.published;
  if ('tried' in state && state.tried === true) return true;
  return state.kind === 'launching' || state.kind === 'running' || state.kind === 'collecting';
}

function cleanupOf(task: Task, kind: EndedState['kind']): Cleanup {
  switch (task.spec.cleanup) {
    case 'always':
      return 'pending';
    case 'on-success':
      return kind === 'succeeded' ? 'pending' : 'kept';
    case 'never':
      return 'kept';
  }
}

/** A scheduler may have a limit of its own. */
function limitText({ spec }: Task): string {
  return spec.timeLimitMs === undefined ? '' : ` of ${spec.timeLimitMs} ms`;
}

const SIGNALS: Record<number, string> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  6: 'ABRT',
  8: 'FPE',
  9: 'KILL',
  11: 'SEGV',
  13: 'PIPE',
  15: 'TERM',
};

/** " (signal KILL)" for 137: the shell's way to say that a signal ended the command. */
function signalName(code: number): string {
  const name = SIGNALS[code - 128];
  return name === undefined ? '' : ` (signal ${name})`;
}
