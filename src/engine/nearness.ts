/** Where the outputs are that queued tasks take of others: looked up once for each. */
import { isAppError } from '../domain/failure.ts';
import type { Near } from '../domain/placement.ts';
import { isEnded } from '../domain/state.ts';
import type { Task, TaskId } from '../domain/task.ts';
import { takenBy } from './dependencies.ts';
import type { Ledger } from './ledger.ts';

export interface Nearness {
  /** A task has come into the queue. */
  arrived(task: Task): void;
  /** Of tasks in the queue that may choose among hosts; what was known of others is forgotten. */
  lookUp(): Promise<Near>;
}

export function createNearness({
  ledger,
}: {
  ledger: Pick<Ledger, 'find' | 'get' | 'queued'>;
}): Nearness {
  let known = new Map<TaskId, ReadonlyMap<string, number>>();
  /** Not known yet: what the queue has from before the first look. */
  let takers: Set<TaskId> | undefined;

  async function bytesByHost({ spec }: Task): Promise<ReadonlyMap<string, number>> {
    const bytes = new Map<string, number>();
    for (const id of new Set(takenBy(spec).map(({ task }) => task))) {
      const kept = await keptOf(id);
      if (kept === undefined) continue;
      const size = kept.entries.reduce((sum, one) => sum + ('bytes' in one ? one.bytes : 0), 0);
      bytes.set(kept.host, (bytes.get(kept.host) ?? 0) + size);
    }
    return bytes;
  }

  /** A task that is not there any more is told when its outputs are wanted. */
  async function keptOf(id: string) {
    try {
      const { state } = await ledger.find(id);
      return isEnded(state) ? state.kept : undefined;
    } catch (error) {
      if (isAppError(error) && error.code === 'TASK_NOT_FOUND') return undefined;
      throw error;
    }
  }

  return {
    arrived(task) {
      if (isTaker(task)) takers?.add(task.id);
    },
    async lookUp() {
      takers ??= new Set([...ledger.queued()].filter(isTaker).map(({ id }) => id));
      const next: typeof known = new Map();
      for (const id of takers) {
        const task = ledger.get(id);
        if (task?.state.kind !== 'queued') takers.delete(id);
        else next.set(id, known.get(id) ?? (await bytesByHost(task)));
      }
      known = next;
      return ({ id }) => next.get(id);
    },
  };
}

/** May choose, and takes outputs of others. */
function isTaker({ spec }: Task): boolean {
  return spec.host === undefined && takenBy(spec).length > 0;
}
