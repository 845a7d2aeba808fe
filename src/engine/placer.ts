/** Gives queued tasks their hosts whenever room may have come free. */
import { AppError, isAppError } from '../domain/failure.ts';
import { fitsEver, type HostRoom, place } from '../domain/placement.ts';
import type { Task, TaskSpec } from '../domain/task.ts';
import type { Ledger } from './ledger.ts';
import type { Logger } from './logger.ts';
import { noHostFits } from './no-host-fits.ts';
import { capacityOf, roomsOf } from './rooms.ts';
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
/** A host that was reached but cannot be looked at (its root is wrong) is asked again this often. */
const CONTACT_AGAIN_MS = 10_000;

export function createPlacer(deps: { ledger: Ledger; seats: Seats; log: Logger }): Placer {
  const { ledger, seats, log } = deps;
  const contacts = new Set<Seat>();

  async function lookNow(): Promise<void> {
    const queued = [...ledger.live()].filter((task) => task.state.kind === 'queued');
    if (queued.length === 0) return;
    for (const { task, host, gpus } of place(queued, roomsOf(seats.all(), ledger.live()))) {
      await ledger.apply(task.id, { kind: 'placed', attempt: task.state.attempt, host, gpus });
    }
    const left = queued.filter(({ id }) => ledger.get(id)?.state.kind === 'queued');
    for (const task of left) await refuseHopeless(task);
    for (const seat of wanted(left)) contact(seat);
  }

  /** A task whose hosts are all known to be too small would wait for ever: say so instead. */
  async function refuseHopeless(task: Task): Promise<void> {
    try {
      check(task.spec);
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { attempt } = task.state;
      await ledger.apply(task.id, { kind: 'step-failed', attempt, failure: error.toRecord() });
    }
  }

  function check(spec: TaskSpec): void {
    const named = seats
      .all()
      .filter((seat) => spec.host === undefined || spec.host === seat.name)
      .map(capacityOf);
    if (named.some((host) => fitsEver(spec, host))) return;
    throw noHostFits(spec, named);
  }

  /** Hosts that somebody waits for and nothing is known of yet. */
  function wanted(tasks: readonly Task[]): Seat[] {
    return seats.all().filter((seat) => {
      if (!seat.policy.enabled || seat.mode() !== 'open') return false;
      if (seat.knownFacts() !== undefined || contacts.has(seat)) return false;
      if (!['idle', 'ready', 'connecting'].includes(seat.host.linkState().kind)) return false;
      const capacity = capacityOf(seat);
      return tasks.some(
        ({ spec }) =>
          (spec.host === undefined || spec.host === seat.name) && fitsEver(spec, capacity),
      );
    });
  }

  /** What is found has the placer look again, by way of the link's news. */
  function contact(seat: Seat): void {
    contacts.add(seat);
    seat.facts().then(
      () => contacts.delete(seat),
      (error: unknown) => {
        const code = isAppError(error) ? error.code : 'INTERNAL';
        log.info({ host: seat.name, code }, 'a host that tasks wait for cannot be looked at');
        // Trouble with the link ends with its own news.
        if (code.startsWith('SSH_')) contacts.delete(seat);
        else setTimeout(() => contacts.delete(seat) && look(), CONTACT_AGAIN_MS).unref();
      },
    );
  }

  // IMPORTANT: one look at a time: what one gives away, another must see taken.
  const failed = (err: unknown): void => log.error({ err }, 'placing failed');
  const look = whenAsked(lookNow, failed, AFTER_FAILURE_MS);

  return {
    look,
    room(seat) {
      const [room] = roomsOf([seat], ledger.live());
      if (room === undefined) throw new AppError('INTERNAL', `no room of ${seat.name}`);
      return room;
    },
    check,
  };
}
