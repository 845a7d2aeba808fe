/**
 * Tells waiting tasks how those they wait for have ended. What is told follows from how tasks stand and
 * from nothing else, so that after a restart it is told again, and twice does no harm.
 */
import { isAppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import type { Task, TaskId } from '../domain/task.ts';
import type { Ledger } from './ledger.ts';
import type { Told } from './live-tasks.ts';
import type { Logger } from './logger.ts';
import { sleep } from './sleep.ts';

/** What cannot be written just now (a full disk) is tried again. */
const AGAIN_MS = 5_000;

export interface Dependants {
  told(change: Pick<Told, 'before' | 'task'>): void;
  stop(): void;
}

export function createDependants({ ledger, log }: { ledger: Ledger; log: Logger }): Dependants {
  const waiting = new Map<TaskId, Set<TaskId>>();
  const stopped = new AbortController();

  function follow({ id, state }: Task): void {
    if (state.kind !== 'waiting') return;
    for (const other of state.on) {
      const known = waiting.get(other) ?? new Set();
      waiting.set(other, known.add(id));
      // it may have ended already
      void untilDone(async () => {
        const end = await endOf(other);
        if (end !== undefined) await tell(id, end);
      });
    }
  }

  /** Undefined: it has not ended. One that is not kept any more ended long ago, nobody knows how. */
  async function endOf(id: TaskId): Promise<{ id: TaskId; succeeded: boolean } | undefined> {
    try {
      const { state } = await ledger.find(id);
      return isEnded(state) ? { id, succeeded: state.kind === 'succeeded' } : undefined;
    } catch (error) {
      if (isAppError(error) && error.code === 'TASK_NOT_FOUND') return { id, succeeded: false };
      throw error;
    }
  }

  async function tell(id: TaskId, end: { id: TaskId; succeeded: boolean }): Promise<void> {
    await ledger.apply(id, { kind: 'predecessor-ended', ...end });
  }

  async function untilDone(act: () => Promise<void>): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        return await act();
      } catch (err) {
        // it was cancelled and is not kept any more
        if (isAppError(err) && err.code === 'TASK_NOT_FOUND') return;
        log.warn({ err }, 'cannot tell a task how one it waits for has ended');
      }
      await sleep(AGAIN_MS, stopped.signal);
    }
  }

  return {
    told({ before, task }) {
      if (before?.state.kind !== 'waiting') follow(task);
      if (!isEnded(task.state)) return;
      const dependants = waiting.get(task.id) ?? [];
      waiting.delete(task.id);
      const end = { id: task.id, succeeded: task.state.kind === 'succeeded' };
      for (const id of dependants) void untilDone(() => tell(id, end));
    },
    stop: () => stopped.abort(),
  };
}
