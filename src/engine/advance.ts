/** One event of one task, judged: the whole change to commit. Pure: the ledger and the simulator share it. */
import { decide } from '../domain/decide.ts';
import type { Decision } from '../domain/decision.ts';
import type { Effect } from '../domain/effects.ts';
import type { TaskEvent } from '../domain/events.ts';
import { attemptToken, type Task } from '../domain/task.ts';
import type { Change, NewRemoval } from '../store/store.ts';
import { describeEvent } from './describe-event.ts';
import { endOfAttempt, withEnd } from './end-of-attempt.ts';
import type { LiveTask } from './live-tasks.ts';
import { whereIs } from './where.ts';

/** Orders that last until this news comes. */
const DONE_BY: Readonly<Partial<Record<Effect['kind'], TaskEvent['kind']>>> = {
  clean: 'cleaned',
  finish: 'hook-ended',
};

/** What to commit, or why nothing is. */
export type Advance = { kind: 'next'; change: Change } | Exclude<Decision, { kind: 'next' }>;

/** Judges one event of a task as it stands with its orders. */
export function advance({ task, orders }: LiveTask, event: TaskEvent, at: number): Advance {
  const decision = decide(task, event, at);
  if (decision.kind !== 'next') return decision;
  const next = { ...decision.task, version: task.version + 1 };
  const effects = ordersAfter(orders, decision.effects, event);
  return {
    kind: 'next',
    change: {
      task: next,
      events: [withEnd(describeEvent(next, event, at), endOfAttempt(task, next))],
      effects,
      removed: removalOf(next, event, at),
    },
  };
}

/** A directory that was removed from its host is written down with the news of it. */
function removalOf(task: Task, event: TaskEvent, at: number): NewRemoval | undefined {
  if (event.kind !== 'cleaned') return undefined;
  const { host } = whereIs(task, event.attempt);
  if (host === undefined) return undefined;
  const what = attemptToken(task.id, event.attempt);
  return { at, kind: 'directory', what, host, count: 1, bytes: event.bytes };
}

/** Cleaning, and what the user wants run at an end, go on whatever the task does next; other orders are replaced. */
function ordersAfter(
  orders: readonly Effect[],
  effects: readonly Effect[] | 'same',
  event: TaskEvent,
): Effect[] {
  const done = (order: Effect): boolean =>
    'attempt' in event && order.attempt === event.attempt && DONE_BY[order.kind] === event.kind;
  const left = orders.filter((order) => !done(order));
  if (effects === 'same') return left;
  const lasting = left.filter(
    (order) =>
      DONE_BY[order.kind] !== undefined &&
      !effects.some((other) => other.kind === order.kind && other.attempt === order.attempt),
  );
  return [...lasting, ...effects];
}
