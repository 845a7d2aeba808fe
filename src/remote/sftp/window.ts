/** A sliding window of requests: so many under way at once, their results taken in order. */
import { watchedElsewhere } from '../settle.ts';

export class Window<T> {
  readonly #size: number;
  readonly #queue: Array<Promise<T>> = [];

  constructor(size: number) {
    this.#size = size;
  }

  get full(): boolean {
    return this.#queue.length >= this.#size;
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  add(request: Promise<T>): void {
    // A failure is met when its turn comes, or not at all when an earlier one ended the work.
    watchedElsewhere(request);
    this.#queue.push(request);
  }

  /** Resolves when nothing is under way any more; what it came to is of no interest. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#queue.splice(0));
  }

  /** The oldest result; the window must not be empty. */
  next(): Promise<T> {
    return this.#queue.shift() as Promise<T>;
  }
}

/** With the largest requests so much is asked for as fits a wide channel (transfer-link.ts). */
export const READS_UNDER_WAY = 32;
/** What is sent ahead of the far side's own window only waits here. */
export const WRITES_UNDER_WAY = 16;
