/** Why a task that nobody has placed yet has to wait: the state of its hosts, or that they are full. */
import { ERRORS, type ErrorCode } from '../domain/error-registry.ts';
import { AppError } from '../domain/failure.ts';
import { fitsEver } from '../domain/placement.ts';
import type { Blocked } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import { capacityOf } from './rooms.ts';
import type { Seat } from './seats.ts';

/** Undefined: it does not wait, or its turn comes at any moment. */
export function whyWaiting(task: Task, seats: readonly Seat[]): Blocked | undefined {
  if (task.state.kind !== 'queued') return undefined;
  const { spec } = task;
  const { since } = task.state;
  const able = seats.filter(
    (seat) =>
      (spec.host === undefined || spec.host === seat.name) && fitsEver(spec, capacityOf(seat)),
  );
  const reasons = able.map((seat) => ({ seat, reason: reasonOf(seat) }));
  const [first] = reasons;
  if (first === undefined) return undefined;
  const open = reasons.filter(({ reason }) => reason === undefined).map(({ seat }) => seat.name);
  if (open.length === 0) return { host: first.seat.name, ...first.reason, since } as Blocked;
  const full = new AppError('TASK_WAITS_FOR_ROOM', 'no room for what it asks for just now');
  return {
    host: open.join(', '),
    reason: full.code,
    message: full.message,
    hint: full.hint,
    since,
  };
}

type Reason = Pick<Blocked, 'reason' | 'message' | 'hint'>;

/** Why nothing new goes to a host; undefined: something could. */
function reasonOf(seat: Seat): Reason | undefined {
  const { name: host, policy } = seat;
  const said = (code: ErrorCode, message: string): Reason => {
    const { hint } = new AppError(code, message, { context: { host } });
    return { reason: code, message, hint };
  };
  switch (seat.mode()) {
    case 'paused':
      return said('HOST_PAUSED', `host ${host} is paused`);
    case 'draining':
      return said('HOST_DRAINING', `host ${host} is draining`);
    case 'open':
  }
  if (!policy.enabled) return said('HOST_DISABLED', `host ${host} has enabled = false`);
  const link = seat.host.linkState();
  if (link.kind === 'unreachable' || link.kind === 'refused' || link.kind === 'needs-login') {
    const known = Object.hasOwn(ERRORS, link.code) ? (link.code as ErrorCode) : undefined;
    if (known !== undefined) return said(known, link.message);
  }
  const failure = seat.knownFacts() === undefined ? seat.lastFailure() : undefined;
  return failure && { reason: failure.code, message: failure.message, hint: failure.hint };
}
