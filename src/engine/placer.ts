/** Gives queued tasks their hosts whenever room may have come free. */
import { AppError, isAppError } from '../domain/failure.ts';
import { type Capacity, fitsEver, type HostRoom, place } from '../domain/placement.ts';
import type { Task, TaskSpec } from '../domain/task.ts';
import { createContacts } from './contacts.ts';
import type { Ledger } from './ledger.ts';
import type { Logger } from './logger.ts';
import { createNearness } from './nearness.ts';
import { noHostFits } from './no-host-fits.ts';
import { capacityOf, roomsOf } from './rooms.ts';
import type { Seat, Seats } from './seats.ts';
import { whenAsked } from './when-asked.ts';

export interface Placer {
  /** Looks again soon; many calls are one look. */
  look(): void;
  /** Resolves when no look is under way. */
  settled: () => Promise<void>;
  room(seat: Seat): HostRoom;
  /** @throws TASK_NO_HOST_FITS when no host could run it even if it were empty */
  check(spec: TaskSpec): void;
}

/** Nothing may happen that would have it look again, and a full disk has its time. */
const AFTER_FAILURE_MS = 5_000;

export function createPlacer(deps: { ledger: Ledger; seats: Seats; log: Logger }): Placer {
  const { ledger, seats, log } = deps;
  const nearness = createNearness({ ledger });
  const contacts = createContacts({ log, again: () => look() });

  async function lookNow(): Promise<void> {
    const queued = [...ledger.live()].filter((task) => task.state.kind === 'queued');
    if (queued.length === 0) return;
    const near = await nearness.lookUp(queued);
    const placements = place(queued, roomsOf(seats.all(), ledger.live()), near);
    await allOrThrow(placements, ({ task, host, gpus }) =>
      ledger.apply(task.id, { kind: 'placed', attempt: task.state.attempt, host, gpus }),
    );
    const left = queued.filter(({ id }) => ledger.get(id)?.state.kind === 'queued');
    const capacities = seats.all().map(capacityOf);
    for (const task of left) await refuseHopeless(task, capacities);
    for (const seat of wanted(left)) contacts.make(seat);
  }

  /** A task whose hosts are all known to be too small would wait for ever: say so instead. */
  async function refuseHopeless(task: Task, capacities: readonly Capacity[]): Promise<void> {
    try {
      checkAgainst(task.spec, capacities);
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { attempt } = task.state;
      await ledger.apply(task.id, { kind: 'step-failed', attempt, failure: error.toRecord() });
    }
  }

  /** Hosts that somebody waits for and nothing is known of yet. */
  function wanted(tasks: readonly Task[]): Seat[] {
    return seats.all().filter((seat) => {
      if (!seat.policy.enabled || seat.mode() !== 'open') return false;
      if (seat.knownFacts() !== undefined || contacts.underWay(seat)) return false;
      if (!['idle', 'ready', 'connecting'].includes(seat.host.linkState().kind)) return false;
      const capacity = capacityOf(seat);
      return tasks.some(
        ({ spec }) =>
          (spec.host === undefined || spec.host === seat.name) && fitsEver(spec, capacity),
      );
    });
  }

  // IMPORTANT: one look at a time: what one gives away, another must see taken.
  const failed = (err: unknown): void => log.error({ err }, 'placing failed');
  let looking: Promise<void> = Promise.resolve();
  const act = (): Promise<void> => {
    looking = lookNow();
    return looking;
  };
  const look = whenAsked(act, failed, AFTER_FAILURE_MS);

  return {
    look,
    settled: () => looking.catch(() => {}),
    room(seat) {
      const [room] = roomsOf([seat], ledger.live());
      if (room === undefined) throw new AppError('INTERNAL', `no room of ${seat.name}`);
      return room;
    },
    check: (spec) => checkAgainst(spec, seats.all().map(capacityOf)),
  };
}

/** Asked for together they share commits; it is over when the last of them is. @throws as the first */
async function allOrThrow<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(all.map(act));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason as Error;
}

/** @throws TASK_NO_HOST_FITS */
function checkAgainst(spec: TaskSpec, hosts: readonly Capacity[]): void {
  const named = hosts.filter(({ name }) => spec.host === undefined || spec.host === name);
  if (!named.some((host) => fitsEver(spec, host))) throw noHostFits(spec, named);
}
