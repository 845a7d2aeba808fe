/** How often something may be done: some at once, then one more each time a token was earned. */
export interface BucketLimits {
  burst: number;
  refillMs: number;
}

/** Whole tokens, earned one per `refillMs` up to `burst`. In any time t no more than burst + t / refillMs are taken. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #countedAt: number;

  constructor(limits: BucketLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#countedAt = now;
  }

  /** Takes a token and gives 0, or gives the time until there is one. */
  take(now: number): number {
    const waitMs = this.waitMs(now);
    if (waitMs === 0) this.#tokens -= 1;
    return waitMs;
  }

  /** The time until a token is there, 0 when one is. */
  waitMs(now: number): number {
    this.#earn(now);
    return this.#tokens > 0 ? 0 : this.#countedAt + this.#limits.refillMs - now;
  }

  left(now: number): number {
    this.#earn(now);
    return this.#tokens;
  }

  /** Gives a token back that did not cost anything. */
  giveBack(): void {
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + 1);
  }

  #earn(now: number): void {
    // A clock that was set back must not stop anything for longer than one refill.
    if (now < this.#countedAt) this.#countedAt = now;
    const earned = Math.floor((now - this.#countedAt) / this.#limits.refillMs);
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + earned);
    const full = this.#tokens === this.#limits.burst;
    this.#countedAt = full ? now : this.#countedAt + earned * this.#limits.refillMs;
  }
}
