/** Bytes on the wire over all connections of a host, the closed ones included. */
import type { HostCounters } from '../host.ts';
import type { Wire } from './wire.ts';

export class Traffic {
  readonly #counters: HostCounters;
  readonly #live = new Set<Wire>();

  constructor(counters: HostCounters) {
    this.#counters = counters;
  }

  track(socket: Wire): void {
    this.#live.add(socket);
    socket.once('close', () => {
      if (!this.#live.delete(socket)) return;
      this.#counters.bytesSent += socket.bytesWritten;
      this.#counters.bytesReceived += socket.bytesRead;
    });
  }

  /** The counters with what the open connections carried so far. */
  totals(): HostCounters {
    const totals = { ...this.#counters };
    for (const socket of this.#live) {
      totals.bytesSent += socket.bytesWritten;
      totals.bytesReceived += socket.bytesRead;
    }
    return totals;
  }
}
