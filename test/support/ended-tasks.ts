/** Many tasks that ended long ago, written into the state directory of a daemon that is not running. */
import { openStore } from '../../src/store/open.ts';
import { aTask } from './builders.ts';

const AT_ONCE = 1_000;

/** Each cancelled before it was placed, so that nothing of it is anywhere. */
export async function storeEndedTasks(stateDir: string, count: number): Promise<void> {
  const { store } = await openStore({ stateDir, adopt: false });
  try {
    for (let from = 0; from < count; from += AT_ONCE) {
      const changes = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => {
        const id = `ended${String(from + i).padStart(20, '0')}`;
        const task = aTask({}, id);
        const finishedAt = 1_000;
        const state = {
          ...{ kind: 'cancelled' as const, attempt: 1, outputs: [] },
          ...{ finishedAt, cleanup: 'none' as const },
        };
        const event = { at: Date.now(), task: task.id, attempt: 1, kind: 'submitted' };
        return {
          task: { ...task, state },
          events: [{ ...event, state: 'cancelled', data: {} }],
          effects: [],
        };
      });
      await store.insert(changes);
    }
  } finally {
    await store.close();
  }
}
