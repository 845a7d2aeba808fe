/**
 * Waiting for the end of a task. What counts is how the ledger tells the task stands: a row of the store
 * can be there a moment before the ledger has told it, and there may be none after it.
 */
import { isEnded } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import type { Ledger } from './ledger.ts';
import type { Subscribers } from './subscribers.ts';

/** Gives the task when it has ended, or as it stands when the time is over. @throws TASK_NOT_FOUND */
export async function waitForEnd(
  { ledger, subscribers }: { ledger: Ledger; subscribers: Subscribers },
  want: { id: string; timeoutMs: number; signal: AbortSignal },
): Promise<Task> {
  const limit = AbortSignal.any([want.signal, AbortSignal.timeout(want.timeoutMs)]);
  const { id } = await ledger.find(want.id);
  for (;;) {
    // IMPORTANT: ask for news before looking, so that what comes meanwhile is not slept through.
    const news = subscribers.next(id, limit);
    const task = await ledger.find(id);
    if (isEnded(task.state) || limit.aborted) return task;
    await news;
  }
}
