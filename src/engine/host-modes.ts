/** Which hosts are paused or draining: in the store, and here for whoever asks at every turn. */
import type { HostEvent, HostMode } from '../domain/host-mode.ts';
import type { Store } from '../store/store.ts';

export interface HostModes {
  /** Reads them back. Call once, before any host is made. */
  load(): Promise<void>;
  of: (host: string) => HostMode;
  /** The change that brought it there; absent: it was open from the beginning. */
  last(host: string): HostEvent | undefined;
  /** On disk when it resolves; undefined when nothing changed. @throws STORE_FULL */
  set(host: string, mode: HostMode): Promise<HostEvent | undefined>;
}

export function createHostModes({ store, now }: { store: Store; now: () => number }): HostModes {
  const changes = new Map<string, HostEvent>();
  const of = (host: string): HostMode => changes.get(host)?.mode ?? 'open';
  return {
    async load() {
      for (const event of await store.hostModes()) changes.set(event.host, event);
    },
    of,
    last: (host) => changes.get(host),
    async set(host, mode) {
      if (of(host) === mode) return undefined;
      const event = await store.setHostMode({ at: now(), host, mode });
      changes.set(host, event);
      return event;
    },
  };
}
