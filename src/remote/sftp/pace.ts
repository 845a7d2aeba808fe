/**
 * How large a request should be. Large ones are faster on a fast link; on a slow one the first
 * answer must come before the progress deadline, so the size is earned by what got through.
 */
const CAUTIOUS_BYTES = 32 * 1024;
const FAST_BYTES_PER_MS = 1024;

export class Pace {
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  #bytes = 0;

  constructor(maxBytes: number, now: () => number) {
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#startedAt = now();
  }

  answered(bytes: number): void {
    this.#bytes += bytes;
  }

  get requestBytes(): number {
    const elapsedMs = Math.max(1, this.#now() - this.#startedAt);
    const fast = this.#bytes / elapsedMs > FAST_BYTES_PER_MS;
    return fast ? this.#maxBytes : Math.min(CAUTIOUS_BYTES, this.#maxBytes);
  }
}
