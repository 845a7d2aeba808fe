/**
 * Pulls that gave up, by host and image: until a time that doubles with each of them the same wish is
 * answered with the last reason, so that a hundred tasks of one bad name do not ask the registry in turn.
 * Forgotten when a person asks, and with the daemon.
 */
import { AppError } from '../domain/failure.ts';

export interface PullMemory {
  /** @throws the reason of the last pull that gave up, while it counts */
  check(key: string): void;
  /** Gives the error back with the time until which it counts. */
  gaveUp(key: string, error: AppError, window: { firstMs: number; capMs: number }): AppError;
  forget(key: string): void;
  /** Forgets an image on all hosts. */
  forgetImage(image: string): void;
}

interface Memory {
  error: AppError;
  count: number;
  since: number;
  until: number;
}

/** More different images in trouble than this are not remembered: the oldest go. */
const KEPT_MAX = 1_000;

/** `now`: a clock that may be set; a window that does not fit it any more is over. */
export function createPullMemory(now: () => number): PullMemory {
  const memories = new Map<string, Memory>();
  return {
    check(key) {
      const memory = memories.get(key);
      if (memory === undefined || now() >= memory.until || now() < memory.since) return;
      throw memory.error;
    },
    gaveUp(key, error, { firstMs, capMs }) {
      if (firstMs === 0 || !error.code.startsWith('IMAGE_')) return error;
      const count = (memories.get(key)?.count ?? 0) + 1;
      const since = now();
      const until = since + Math.min(capMs, firstMs * 2 ** Math.min(count - 1, 30));
      const at = new Date(until).toISOString();
      const told = new AppError(error.code, `${error.message} (not asked for again before ${at})`, {
        context: { ...error.context, nextTryAt: at },
        cause: error,
      });
      memories.delete(key);
      memories.set(key, { error: told, count, since, until });
      for (const [oldest] of memories) {
        if (memories.size <= KEPT_MAX) break;
        memories.delete(oldest);
      }
      return told;
    },
    forget: (key) => void memories.delete(key),
    forgetImage(image) {
      for (const key of memories.keys()) if (key.endsWith(` ${image}`)) memories.delete(key);
    },
  };
}
