/** A follower: pulls from the file at its own pace, so a slow one holds nothing but its place. */
import type { AttemptToken, StreamName } from '../domain/task.ts';
import type { Attempt } from './attempt.ts';
import type { Registry } from './registry.ts';
import type { FollowOptions } from './spool.ts';

interface Place extends FollowOptions {
  token: AttemptToken;
  stream: StreamName;
}

/**
 * The bytes of a stream from an offset on.
 * @throws the signal's reason; DAEMON_STOPPING, TASK_NOT_FOUND, STORE_CORRUPT.
 */
export function follow(registry: Registry, place: Place): AsyncIterableIterator<Buffer> {
  const state: State = { left: false };
  const chunks = read(registry, place, state);
  return {
    next: () => chunks.next(),
    // A generator that waits for news would hear of this only when there is some.
    return: () => {
      state.left = true;
      state.attempt?.wake();
      return chunks.return(undefined);
    },
    throw: (error: unknown) => chunks.throw(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

interface State {
  left: boolean;
  attempt?: Attempt;
}

async function* read(
  registry: Registry,
  place: Place,
  state: State,
): AsyncGenerator<Buffer, undefined, undefined> {
  const { attempt, release } = registry.acquire(place.token);
  state.attempt = attempt;
  try {
    await attempt.ready();
    let { offset } = place;
    while (!state.left) {
      place.signal?.throwIfAborted();
      attempt.check();
      if (offset < attempt.lengths[place.stream]) {
        const chunk = await attempt.read(place.stream, offset);
        offset += chunk.length;
        if (chunk.length > 0) yield chunk;
      } else if (!place.follow || attempt.end !== 'open') {
        return;
      } else {
        await attempt.changed(place.signal);
      }
    }
  } finally {
    await release();
  }
}
