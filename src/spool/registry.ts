/** One Attempt object per token, for as long as somebody uses it or there is something only it knows. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AppError } from '../domain/failure.ts';
import type { AttemptToken } from '../domain/task.ts';
import { Attempt, type AttemptSettings } from './attempt.ts';

/** The name of an attempt and of its directory. */
export const TOKEN = /^[\w-]+\.\d+$/;

interface Entry {
  attempt: Attempt;
  users: number;
}

export interface Registry {
  /** The attempt's one object; `release` must be called once for every call. @throws DAEMON_STOPPING */
  acquire(token: AttemptToken): { attempt: Attempt; release: () => Promise<void> };
  /** Acquires for the time of a call. @throws as `act`, DAEMON_STOPPING */
  use<T>(token: AttemptToken, act: (attempt: Attempt) => Promise<T>): Promise<T>;
  /** Deletes the attempt's files; the token can be used anew. @throws STORE_CORRUPT */
  remove(token: AttemptToken): Promise<void>;
  close(): Promise<void>;
}

/** Keeps the attempts of the directories under `root`. */
export function createRegistry(root: string, settings: AttemptSettings): Registry {
  const entries = new Map<AttemptToken, Entry>();
  let closed = false;

  function acquire(token: AttemptToken) {
    if (closed) throw new AppError('DAEMON_STOPPING', 'the daemon is stopping');
    // A token becomes a directory name.
    assert(TOKEN.test(token), `${JSON.stringify(token)} is not an attempt`);
    const entry = entries.get(token) ?? {
      attempt: new Attempt(join(root, token), settings),
      users: 0,
    };
    entries.set(token, entry);
    entry.users += 1;
    return { attempt: entry.attempt, release: () => release(token, entry) };
  }

  async function release(token: AttemptToken, entry: Entry): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0 || !entry.attempt.settled || entries.get(token) !== entry) return;
    entries.delete(token);
    await entry.attempt.close();
  }

  async function use<T>(token: AttemptToken, act: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { attempt, release } = acquire(token);
    try {
      return await act(attempt);
    } finally {
      await release();
    }
  }

  return {
    acquire,
    use,
    remove: (token) =>
      use(token, async (attempt) => {
        await attempt.remove();
        // Slow followers may keep the old object for a while.
        if (entries.get(token)?.attempt === attempt) entries.delete(token);
      }),
    async close() {
      closed = true;
      const results = await Promise.allSettled([...entries.values()].map((e) => e.attempt.close()));
      entries.clear();
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason as Error;
    },
  };
}
