/** Whether the daemon takes something on just now: it may be stopping, or full. */
import { AppError } from '../domain/failure.ts';
import type { ServiceDeps } from './create-service.ts';

export interface Admission {
  /** @throws DAEMON_STOPPING */
  mayChange: () => void;
  /** A task that is retried is one more that has not ended. @throws QUEUE_FULL */
  refuseFullQueue: () => void;
  /** Work that would fill the disk is refused while there is room to finish what was begun. @throws as mayChange, STORE_FULL */
  admit: () => Promise<void>;
}

export function createAdmission(
  deps: Pick<ServiceDeps, 'ledger' | 'stopping' | 'settings' | 'freeBytes'>,
): Admission {
  function mayChange(): void {
    if (deps.stopping()) throw new AppError('DAEMON_STOPPING', 'the daemon is stopping');
  }
  return {
    mayChange,
    refuseFullQueue() {
      const { queue } = deps.settings().limits;
      if (deps.ledger.unfinished() < queue) return;
      throw new AppError('QUEUE_FULL', `there are ${queue} unfinished tasks, which is the most`);
    },
    async admit() {
      mayChange();
      const { minFreeBytes } = deps.settings().limits;
      const free = minFreeBytes === 0 ? undefined : await deps.freeBytes?.();
      if (free === undefined || free >= minFreeBytes) return;
      const text = `the disk of the state directory has ${free} bytes free; [daemon] min_free is ${minFreeBytes}`;
      throw new AppError('STORE_FULL', text);
    },
  };
}
