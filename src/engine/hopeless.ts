/**
 * Tasks that no host could run even if it were empty. They would wait for ever: they are told so instead, when they are
 * submitted or as soon as it is known. Each is judged once for what is known of the hosts, however long the queue.
 */
import { isAppError } from '../domain/failure.ts';
import { type Capacity, fitsEver } from '../domain/placement.ts';
import type { Task, TaskId, TaskSpec } from '../domain/task.ts';
import type { Ledger } from './ledger.ts';
import { noHostFits } from './no-host-fits.ts';
import { capacityOf } from './rooms.ts';
import type { Seats } from './seats.ts';

export interface Hopeless {
  /** @throws TASK_NO_HOST_FITS */
  check(spec: TaskSpec): void;
  /** A task has come into the queue. */
  arrived(task: Task): void;
  /** Ends those in the queue. @throws STORE_* */
  refuse(): Promise<void>;
}

export function createHopeless({ ledger, seats }: { ledger: Ledger; seats: Seats }): Hopeless {
  /** In the queue since it was last found that a task may wait. */
  const unjudged = new Set<TaskId>();
  /** What was known of the hosts then. */
  let known: readonly unknown[] | undefined;

  function judgeAllWhenMoreIsKnown(): void {
    const now = seats.all().flatMap((seat) => [seat.name, seat.policy, seat.knownFacts()]);
    if (now.length === known?.length && now.every((part, index) => part === known?.[index])) return;
    for (const { id } of ledger.queued()) unjudged.add(id);
    known = now;
  }

  return {
    check: (spec) => checkAgainst(spec, seats.all().map(capacityOf)),
    arrived: ({ id }) => void unjudged.add(id),
    async refuse() {
      judgeAllWhenMoreIsKnown();
      const capacities = seats.all().map(capacityOf);
      for (const id of [...unjudged]) {
        const task = ledger.get(id);
        if (task?.state.kind === 'queued') await refuseIfHopeless(ledger, task, capacities);
        unjudged.delete(id);
      }
    },
  };
}

async function refuseIfHopeless(
  ledger: Ledger,
  task: Task,
  capacities: readonly Capacity[],
): Promise<void> {
  try {
    checkAgainst(task.spec, capacities);
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { attempt } = task.state;
    await ledger.apply(task.id, { kind: 'step-failed', attempt, failure: error.toRecord() });
  }
}

/** @throws TASK_NO_HOST_FITS */
function checkAgainst(spec: TaskSpec, hosts: readonly Capacity[]): void {
  const named = hosts.filter(({ name }) => spec.host === undefined || spec.host === name);
  if (!named.some((host) => fitsEver(spec, host))) throw noHostFits(spec, named);
}
