/**
 * The channels of all connections of a host: how many are open, and how many the host allows on one
 * connection (sshd's MaxSessions), learnt from its refusals and kept for the connections to come.
 */
import type { Clock } from '../clock.ts';
import type { ChannelUse } from '../host.ts';

/** After this time one more refusal is a fair price for finding out that the limit was lifted. */
const REMEMBERED_MS = 24 * 3_600_000;

export class ChannelCount {
  readonly #clock: Clock;
  #learnt: { limit: number; at: number } | undefined;
  #open = 0;
  #connections = 0;
  #refused = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a connection may have open, as far as is known: infinity when nothing is. */
  limit(): number {
    const age = this.#clock.now() - (this.#learnt?.at ?? 0);
    if (this.#learnt === undefined || age < 0 || age >= REMEMBERED_MS) this.#learnt = undefined;
    return this.#learnt?.limit ?? Number.POSITIVE_INFINITY;
  }

  /** A channel was refused beside so many others. A host that gives none at all is in some other trouble. */
  refused(beside: number): void {
    this.#refused += 1;
    if (beside < 1) return;
    this.#learnt = { limit: beside, at: this.#clock.now() };
  }

  connected(change: 1 | -1): void {
    this.#connections += change;
  }

  opened(change: 1 | -1): void {
    this.#open += change;
  }

  use(): ChannelUse {
    const limit = this.limit();
    return {
      open: this.#open,
      limit: Number.isFinite(limit) ? limit : undefined,
      connections: this.#connections,
      refused: this.#refused,
    };
  }
}
