/**
 * The whole behaviour of a task in one pure function: how it stands + what happened -> how it stands
 * next + what is ordered. No I/O, no clock, no randomness. News of an older attempt and news that
 * come twice are ignored by name; what a user asks at the wrong time is refused by name.
 * Read next: state.ts (the diagram), conclude.ts (how an attempt ends).
 */
import { cancelled, endWith, nextAttempt } from './conclude.ts';
import { judgeNews } from './decide-news.ts';
import { type Decision, ignored, to, wrongState } from './decision.ts';
import type { Effect } from './effects.ts';
import type { AskedEvent, TaskEvent } from './events.ts';
import { AppError } from './failure.ts';
import { type GpuGrant, isEnded, ready, type TaskState } from './state.ts';
import type { Task } from './task.ts';

/** Judges one event. Total: every state and event has an answer. */
export function decide(task: Task, event: TaskEvent, now: number): Decision {
  return 'attempt' in event ? judgeNews(task, event, now) : judgeAsked(task, event, now);
}

function judgeAsked(task: Task, event: AskedEvent, now: number): Decision {
  switch (event.kind) {
    case 'cancel-asked':
      return cancelAsked(task, now);
    case 'retry-asked':
      return retryAsked(task, now);
    case 'hold-asked':
      return holdAsked(task, now);
    case 'released':
      return task.state.kind === 'held'
        ? to(task, ready(task.spec, task.state.attempt, now))
        : wrongState(task, 'held');
    case 'gc-asked':
      return gcAsked(task);
    case 'predecessor-ended':
      return predecessorEnded(task, event, now);
  }
}

function cancelAsked(task: Task, now: number): Decision {
  const { state } = task;
  switch (state.kind) {
    case 'held':
    case 'waiting':
    case 'queued':
      return cancelled(task, now);
    case 'staging':
    case 'pulling':
      // after a launch that found its image or inputs gone, an earlier one may still be under way
      return to(
        task,
        { ...step(state, now), kind: 'cancelling', published: state.tried === true },
        'cancel',
      );
    case 'launching':
    case 'running':
    case 'collecting':
      return to(
        task,
        {
          ...step(state, now),
          kind: 'cancelling',
          published: true,
          image: state.image,
          launch: 'launch' in state ? state.launch : undefined,
          exit: 'exit' in state ? state.exit : undefined,
        },
        'cancel',
      );
    case 'cancelling':
    case 'cancelled':
      return { kind: 'ignored', why: `already ${state.kind}` };
    case 'succeeded':
    case 'failed':
    case 'error':
    case 'interrupted':
      return wrongState(task, 'unfinished');
  }
}

function retryAsked(task: Task, now: number): Decision {
  if (!isEnded(task.state)) return wrongState(task, 'ended');
  const next = nextAttempt(task, task.state, now);
  // what it waits for may have been retried, too
  const state = ready(task.spec, next.state.attempt, now);
  return { kind: 'next', task: { ...next, state }, effects: [] };
}

function holdAsked(task: Task, now: number): Decision {
  const { state } = task;
  if (state.kind === 'held') return { kind: 'ignored', why: 'already held' };
  if (state.kind !== 'queued' && state.kind !== 'waiting') return wrongState(task, 'queued');
  return to(task, { kind: 'held', attempt: state.attempt, since: now });
}

/** What was kept for the user is to be removed, of this attempt and of earlier ones. */
function gcAsked(task: Task): Decision {
  const { state } = task;
  if (!isEnded(state)) return wrongState(task, 'ended');
  const kept = task.history.filter((past) => past.cleanup === 'kept');
  const effects = kept.map((past): Effect => ({ kind: 'clean', attempt: past.attempt }));
  if (state.cleanup === 'kept') effects.push({ kind: 'clean', attempt: state.attempt });
  if (effects.length === 0) return { kind: 'ignored', why: 'nothing is kept' };
  const history = task.history.map((past) =>
    past.cleanup === 'kept' ? { ...past, cleanup: 'pending' as const } : past,
  );
  const cleanup = state.cleanup === 'kept' ? ('pending' as const) : state.cleanup;
  return { kind: 'next', task: { ...task, history, state: { ...state, cleanup } }, effects };
}

function predecessorEnded(
  task: Task,
  event: AskedEvent & { kind: 'predecessor-ended' },
  now: number,
): Decision {
  const { state } = task;
  if (state.kind !== 'waiting' || !state.on.includes(event.id)) return ignored(task, event);
  if (!event.succeeded) {
    const failure = new AppError(
      'TASK_PREDECESSOR_FAILED',
      `task ${task.id} never starts: task ${event.id}, which it waits for, did not succeed`,
      { context: { task: task.id, predecessor: event.id } },
    ).toRecord();
    return endWith(task, { kind: 'error', failure, now });
  }
  const on = state.on.filter((id) => id !== event.id);
  return to(task, on.length === 0 ? queued(task, now) : { ...state, on });
}

function step(state: { attempt: number; host: string; gpus?: GpuGrant | undefined }, now: number) {
  const { attempt, host, gpus } = state;
  return { attempt, host, since: now, ...(gpus !== undefined && { gpus }) };
}

function queued(task: Task, now: number): TaskState {
  return { kind: 'queued', attempt: task.state.attempt, since: now };
}
