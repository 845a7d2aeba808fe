/** Gives queued tasks their hosts whenever room may have come free. */
import { AppError } from '../domain/failure.ts';
import { fitsEver, type HostRoom, place } from '../domain/placement.ts';
import { isEnded } from '../domain/state.ts';
import type { Task, TaskSpec } from '../domain/task.ts';
import type { Ledger } from './ledger.ts';
import type { Logger } from './logger.ts';
import type { Seat, Seats } from './seats.ts';
import { whenAsked } from './when-asked.ts';

export interface Placer {
  /** Looks again soon; many calls are one look. */
  look(): void;
  room(seat: Seat): HostRoom;
  /** @throws TASK_NO_HOST_FITS when no host could run it even if it were empty */
  check(spec: TaskSpec): void;
}

/** Nothing may happen that would have it look again, and a full disk has its time. */
const AFTER_FAILURE_MS = 5_000;

export function createPlacer(deps: { ledger: Ledger; seats: Seats; log: Logger }): Placer {
  const { ledger, seats, log } = deps;

  function room(seat: Seat): HostRoom {
    const used = { usedTasks: 0, usedCpus: 0, usedMemoryBytes: 0 };
    for (const task of ledger.live()) {
      if (isEnded(task.state) || !('host' in task.state) || task.state.host !== seat.name) continue;
      used.usedTasks += 1;
      used.usedCpus += task.spec.cpus ?? 0;
      used.usedMemoryBytes += task.spec.memoryBytes ?? 0;
    }
    const { policy } = seat;
    const facts = seat.knownFacts();
    const link = seat.host.linkState().kind;
    return {
      name: seat.name,
      enabled: policy.enabled,
      inviting: !['unreachable', 'refused', 'needs-login'].includes(link),
      maxTasks: policy.maxTasks,
      cpus: policy.cpus ?? facts?.cpus,
      memoryBytes: policy.memoryBytes ?? facts?.memoryBytes,
      ...used,
    };
  }

  async function lookNow(): Promise<void> {
    const queued = [...ledger.live()].filter((task) => task.state.kind === 'queued');
    if (queued.length === 0) return;
    for (const { task, host } of place(queued, seats.all().map(room))) {
      await ledger.apply(task.id, { kind: 'placed', attempt: task.state.attempt, host });
    }
    for (const task of queued) await refuseHopeless(task);
  }

  /** A task whose hosts are all known to be too small would wait for ever: say so instead. */
  async function refuseHopeless(task: Task): Promise<void> {
    try {
      check(task.spec);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { attempt } = task.state;
      if (ledger.get(task.id)?.state.kind !== 'queued') return;
      await ledger.apply(task.id, { kind: 'step-failed', attempt, failure: error.toRecord() });
    }
  }

  function check(spec: TaskSpec): void {
    const candidates = seats
      .all()
      .filter((seat) => spec.host === undefined || spec.host === seat.name);
    if (candidates.some((seat) => fitsEver(spec, room(seat)))) return;
    const asked = `${spec.cpus ?? 'any'} cpus, ${spec.memoryBytes ?? 'any'} bytes of memory`;
    const where = spec.host === undefined ? 'no configured host' : `host ${spec.host}`;
    throw new AppError(
      'TASK_NO_HOST_FITS',
      `${where} cannot ever run a task that asks for ${asked}`,
      {
        context: { host: spec.host },
      },
    );
  }

  // IMPORTANT: one look at a time: what one gives away, another must see taken.
  const failed = (err: unknown): void => log.error({ err }, 'placing failed');
  const look = whenAsked(lookNow, failed, AFTER_FAILURE_MS);

  return {
    look,
    room,
    check,
  };
}
