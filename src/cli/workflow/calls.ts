/** Calls about the tasks of a workflow that a daemon which comes back answers in the end. */

import type { Client } from '../../client/client.ts';
import { surely } from '../../client/reconnect.ts';
import { isAppError } from '../../domain/failure.ts';
import type { TaskView } from '../../protocol/views.ts';

const AT_ONCE = 8;

/** Cancels one group after the other; what has ended meanwhile need not be. */
export async function cancelGroups(
  client: Client,
  groups: readonly (readonly string[])[],
): Promise<void> {
  for (const ids of groups) {
    await forEach(ids, async (id) => {
      await surely(() => client.cancel(id)).catch((error: unknown) => {
        if (!isAppError(error) || error.code !== 'TASK_WRONG_STATE') throw error;
      });
    });
  }
}

export async function getEach(client: Client, ids: readonly string[]): Promise<TaskView[]> {
  const views: TaskView[] = [];
  await forEach(ids, async (id) => void views.push(await surely(() => client.get(id))));
  return views;
}

export async function forEach(
  ids: readonly string[],
  act: (id: string) => Promise<void>,
): Promise<void> {
  const left = [...ids];
  const worker = async (): Promise<void> => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await act(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
