/** Acts that several want at once: one per key at a time, ended when the last who wanted it has left. */

/**
 * The result of the act under way for this key, or of a new one. Whoever leaves by its signal rejects
 * with the signal's reason; the act's own signal aborts, with that reason, when nobody is left. Who
 * comes while such an act is still ending waits for that and has a new one.
 */
export type Share = <T>(
  key: string,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

interface Shared {
  controller: AbortController;
  result: Promise<unknown>;
  over: Promise<void>;
  wantedBy: number;
}

export function createSharing(): Share {
  const running = new Map<string, Shared>();

  function begin(key: string, act: (signal: AbortSignal) => Promise<unknown>): Shared {
    const controller = new AbortController();
    const result = act(controller.signal).finally(() => running.delete(key));
    const over = result.then(
      () => {},
      () => {},
    );
    const shared = { controller, result, over, wantedBy: 0 };
    running.set(key, shared);
    return shared;
  }

  return async <T>(...[key, signal, act]: Parameters<Share>): Promise<T> => {
    let shared = running.get(key);
    while (shared?.controller.signal.aborted) {
      await orAbort(shared.over, signal);
      shared = running.get(key);
    }
    signal.throwIfAborted();
    shared ??= begin(key, act);
    shared.wantedBy += 1;
    try {
      return (await orAbort(shared.result, signal)) as T;
    } finally {
      shared.wantedBy -= 1;
      if (shared.wantedBy === 0) shared.controller.abort(signal.reason);
    }
  };
}

function orAbort<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
