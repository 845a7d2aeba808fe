/** Gives queued tasks their hosts whenever room may have come free. */
import { AppError } from '../domain/failure.ts';
import { fitsEver, type HostRoom, placeInOrder } from '../domain/placement.ts';
import type { Task, TaskSpec } from '../domain/task.ts';
import { createContacts } from './contacts.ts';
import { createHopeless } from './hopeless.ts';
import type { Ledger } from './ledger.ts';
import type { Logger } from './logger.ts';
import { createNearness } from './nearness.ts';
import { capacityOf, roomsOf } from './rooms.ts';
import type { Seat, Seats } from './seats.ts';
import { whenAsked } from './when-asked.ts';

export interface Placer {
  /** Looks again soon; many calls are one look. */
  look(): void;
  /** The same, for a task that is new in the queue. */
  arrived(task: Task): void;
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
  const hopeless = createHopeless({ ledger, seats });
  const contacts = createContacts({ log, again: () => look() });
  async function lookNow(): Promise<void> {
    if (ledger.queued().size === 0) return;
    const near = await nearness.lookUp();
    const placements = placeInOrder(ledger.queued(), roomsOf(seats.all(), ledger.onHosts()), near);
    await allOrThrow(placements, ({ task, host, gpus }) =>
      ledger.apply(task.id, { kind: 'placed', attempt: task.state.attempt, host, gpus }),
    );
    await hopeless.refuse();
    for (const seat of wanted()) contacts.make(seat);
  }

  /** Hosts that somebody waits for and nothing is known of yet. */
  function wanted(): Seat[] {
    return seats.all().filter((seat) => {
      if (!seat.policy.enabled || seat.mode() !== 'open') return false;
      if (seat.knownFacts() !== undefined || contacts.underWay(seat)) return false;
      if (!['idle', 'ready', 'connecting'].includes(seat.host.linkState().kind)) return false;
      return isWaitedFor(seat);
    });
  }

  function isWaitedFor(seat: Seat): boolean {
    const capacity = capacityOf(seat);
    for (const { spec } of ledger.queued()) {
      const may = spec.host === undefined || spec.host === seat.name;
      if (may && fitsEver(spec, capacity)) return true;
    }
    return false;
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
    arrived(task) {
      nearness.arrived(task);
      hopeless.arrived(task);
      look();
    },
    settled: () => looking.catch(() => {}),
    room(seat) {
      const [room] = roomsOf([seat], ledger.onHosts());
      if (room === undefined) throw new AppError('INTERNAL', `no room of ${seat.name}`);
      return room;
    },
    check: (spec) => hopeless.check(spec),
  };
}

/** Asked for together they share commits; it is over when the last of them is. @throws as the first */
async function allOrThrow<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(all.map(act));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason as Error;
}
