/**
 * The forward way of an attempt: each piece of news moves it from one state to the next. What does
 * not fit the state is late or told twice, and ignored by name.
 */
import { cancelled, concludeExit, concludeReused, endWith, retryOrEnd } from './conclude.ts';
import { type Decision, ignored, to } from './decision.ts';
import type { NewsEvent } from './events.ts';
import { type Blocked, type ExitRecord, type GpuGrant, isEnded, type TaskState } from './state.ts';
import { hasOutputs, type Task } from './task.ts';

type OnTheWay = Extract<TaskState, { kind: 'staging' | 'pulling' | 'launching' }>;

/** Judges news of an attempt; news of an older one changes nothing but its cleaning. */
export function judgeNews(task: Task, event: NewsEvent, now: number): Decision {
  const { state } = task;
  if (event.kind === 'cleaned' || event.kind === 'hook-ended') return afterwards(task, event);
  if (event.attempt !== state.attempt) {
    return { kind: 'ignored', why: `${event.kind} of attempt ${event.attempt}` };
  }
  if (isOfPull(event)) return toldOnly(task, event);
  switch (event.kind) {
    case 'placed':
      return state.kind === 'queued' ? placed(task, event, now) : ignored(task, event);
    case 'staged':
      if (state.kind !== 'staging') return ignored(task, event);
      return to(
        task,
        { ...step(state, now), ...triedOf(state), kind: 'pulling', inputs: event.inputs },
        'pull',
      );
    case 'image-ready':
      return state.kind === 'pulling' ? imageReady(task, event, now) : ignored(task, event);
    case 'reused':
      // after a launch one may be under way: it must run or be ended
      if (state.kind !== 'pulling' || state.tried === true) return ignored(task, event);
      return concludeReused(task, event, now);
    case 'image-gone':
      if (state.kind !== 'launching') return ignored(task, event);
      return to(
        task,
        { ...step(state, now), tried: true, kind: 'pulling', inputs: state.inputs },
        'pull',
      );
    case 'inputs-gone':
      if (state.kind !== 'launching') return ignored(task, event);
      return to(task, { ...step(state, now), tried: true, kind: 'staging' }, 'stage');
    case 'job-submitted':
      if (state.kind !== 'launching') return ignored(task, event);
      return {
        kind: 'next',
        task: { ...task, state: { ...state, job: event.job } },
        effects: 'same',
      };
    case 'launched':
      if (state.kind !== 'launching') return ignored(task, event);
      return to(
        task,
        { ...step(state, now), kind: 'running', image: state.image, launch: event.launch },
        'watch',
      );
    case 'exited':
      return exited(task, event, now);
    case 'collected':
      if (state.kind !== 'collecting') return ignored(task, event);
      return concludeExit(task, {
        ...{ exit: state.exit, outputs: event.outputs, kept: event.kept, now },
      });
    case 'died':
      if (state.kind === 'cancelling') return endCancelled(task, now);
      if (state.kind !== 'running') return ignored(task, event);
      return retryOrEnd(task, { kind: 'interrupted', failure: event.failure, now });
    case 'gone':
      // While launching: the host says that the ticket was taken by a cancel, so it can never start.
      if (state.kind !== 'cancelling' && state.kind !== 'launching') return ignored(task, event);
      return endCancelled(task, now, event.exit);
    case 'blocked':
    case 'unblocked':
      return blockedOrNot(task, event);
    case 'step-failed':
      if (isEnded(state)) return ignored(task, event);
      return stepFailed(task, event, now);
  }
}

function imageReady(task: Task, event: NewsEvent & { kind: 'image-ready' }, now: number): Decision {
  const state = task.state as TaskState & { kind: 'pulling' };
  const { inputs } = state;
  const { image, notReused } = event;
  const why = notReused === undefined ? {} : { notReused };
  const at = { ...step(state, now), ...triedOf(state) };
  return to(task, { ...at, kind: 'launching', inputs, image, ...why }, 'launch');
}

function isOfPull(event: NewsEvent): event is NewsEvent & { kind: `pull-${string}` } {
  return event.kind.startsWith('pull-');
}

/** What a pull does changes nothing. */
function toldOnly(task: Task, event: NewsEvent): Decision {
  return task.state.kind === 'pulling'
    ? { kind: 'next', task, effects: 'same' }
    : ignored(task, event);
}

/** Nothing of it is left: cancelled, or what had to be ended for a failure has ended. */
function endCancelled(task: Task, now: number, exit?: ExitRecord): Decision {
  const { state } = task;
  if (state.kind !== 'cancelling' || state.failure === undefined) return cancelled(task, now, exit);
  return endWith(task, { kind: 'error', failure: state.failure, exit, now });
}

/** True while a launch that hung somewhere could still come and start it: its ticket must be taken first. */
function mayStillStart(state: TaskState): state is OnTheWay {
  return state.kind === 'launching' || ('tried' in state && state.tried === true);
}

/** A declared output that the command did not produce is its failure; the rest is ours or the host's. */
function stepFailed(task: Task, event: NewsEvent & { kind: 'step-failed' }, now: number): Decision {
  const { failure, exit, outputs } = event;
  const { state } = task;
  if (mayStillStart(state)) {
    const image = 'image' in state ? state.image : undefined;
    const at = { ...step(state, now), image };
    return to(task, { ...at, kind: 'cancelling', published: true, failure }, 'cancel');
  }
  const kind = failure.code === 'OUTPUT_MISSING' ? 'failed' : 'error';
  return endWith(task, { kind, failure, exit, outputs, now });
}

function placed(task: Task, event: NewsEvent & { kind: 'placed' }, now: number): Decision {
  const at = step({ attempt: task.state.attempt, host: event.host, gpus: event.gpus }, now);
  if (task.spec.inputs.length === 0 && task.spec.stdin === undefined) {
    return to(task, { ...at, kind: 'pulling', inputs: { files: [] } }, 'pull');
  }
  return to(task, { ...at, kind: 'staging' }, 'stage');
}

function exited(task: Task, event: NewsEvent & { kind: 'exited' }, now: number): Decision {
  const { state } = task;
  if (state.kind !== 'running') return ignored(task, event);
  if (!hasOutputs(task.spec)) {
    return concludeExit(task, { exit: event.exit, outputs: [], now });
  }
  const next = { ...step(state, now), image: state.image, launch: state.launch, exit: event.exit };
  return to(task, { ...next, kind: 'collecting' }, 'collect');
}

function cleaned(task: Task, attempt: number): Decision {
  const { state } = task;
  if (attempt === state.attempt) {
    // What was kept may be gone, too: its host was forgotten.
    if (!isEnded(state) || !['pending', 'kept'].includes(state.cleanup)) {
      return { kind: 'ignored', why: 'nothing was to be cleaned' };
    }
    return {
      kind: 'next',
      task: { ...task, state: { ...state, cleanup: 'done', blocked: undefined } },
      effects: 'same',
    };
  }
  const history = task.history.map((past) =>
    past.attempt === attempt ? { ...past, cleanup: 'done' as const } : past,
  );
  return { kind: 'next', task: { ...task, history }, effects: 'same' };
}

/** What is done after the end of an attempt is done, whatever the task does by now. */
function afterwards(task: Task, event: NewsEvent & { kind: 'cleaned' | 'hook-ended' }): Decision {
  return event.kind === 'cleaned' ? cleaned(task, event.attempt) : hookEnded(task, event);
}

/** A task that was retried meanwhile goes its way; its order is carried out all the same. */
function hookEnded(task: Task, event: NewsEvent & { kind: 'hook-ended' }): Decision {
  const { state } = task;
  if (event.attempt < state.attempt) return { kind: 'next', task, effects: 'same' };
  if (!isEnded(state) || event.attempt !== state.attempt || task.spec.onFinish === undefined)
    return ignored(task, event);
  if (state.hook !== undefined) return { kind: 'ignored', why: 'told twice' };
  return {
    kind: 'next',
    task: { ...task, state: { ...state, hook: event.hook } },
    effects: 'same',
  };
}

function blockedOrNot(task: Task, event: NewsEvent & { kind: 'blocked' | 'unblocked' }): Decision {
  const { state } = task;
  if (!('blocked' in state) && !('host' in state)) return ignored(task, event);
  const blocked = event.kind === 'blocked' ? event.blocked : undefined;
  if (isSameTrouble(state.blocked, blocked)) return { kind: 'ignored', why: 'no news' };
  const since = state.blocked?.since ?? blocked?.since;
  const kept = blocked === undefined ? undefined : { ...blocked, since: since ?? blocked.since };
  return { kind: 'next', task: { ...task, state: { ...state, blocked: kept } }, effects: 'same' };
}

/** Where a job stands in its queue changes while it waits; of other trouble the first words will do. */
function isSameTrouble(before: Blocked | undefined, now: Blocked | undefined): boolean {
  if (before?.reason !== now?.reason) return false;
  return before?.reason !== 'SLURM_PENDING' || before.message === now?.message;
}

function step(state: { attempt: number; host: string; gpus?: GpuGrant | undefined }, now: number) {
  const { attempt, host, gpus } = state;
  return { attempt, host, since: now, ...(gpus !== undefined && { gpus }) };
}

function triedOf({ tried }: { tried?: true | undefined }): { tried?: true } {
  return tried === undefined ? {} : { tried };
}
