/** Whether the daemon takes something on just now: it may be stopping, a copy, or full. */
import { AppError } from '../domain/failure.ts';
import type { ServiceDeps } from './create-service.ts';

export interface Admission {
  /** @throws DAEMON_STOPPING DAEMON_STATE_CLONED */
  mayChange: () => void;
  /** A task that is retried is one more that has not ended. @throws QUEUE_FULL */
  refuseFullQueue: () => void;
  /** Work that would fill the disk is refused while there is room to finish what was begun. @throws STORE_FULL */
  refuseFullDisk: () => Promise<void>;
}

export function createAdmission(
  deps: Pick<ServiceDeps, 'ledger' | 'stopping' | 'readOnly' | 'settings' | 'freeBytes'>,
): Admission {
  return {
    mayChange() {
      if (deps.stopping()) throw new AppError('DAEMON_STOPPING', 'the daemon is stopping');
      if (!deps.readOnly) return;
      throw new AppError(
        'DAEMON_STATE_CLONED',
        'the state directory was made on another machine: read-only',
      );
    },
    refuseFullQueue() {
      const { queue } = deps.settings().limits;
      if (deps.ledger.unfinished() < queue) return;
      throw new AppError('QUEUE_FULL', `there are ${queue} unfinished tasks, which is the most`);
    },
    async refuseFullDisk() {
      const { minFreeBytes } = deps.settings().limits;
      const free = minFreeBytes === 0 ? undefined : await deps.freeBytes?.();
      if (free === undefined || free >= minFreeBytes) return;
      const text = `the disk of the state directory has ${free} bytes free; [daemon] min_free is ${minFreeBytes}`;
      throw new AppError('STORE_FULL', text);
    },
  };
}
