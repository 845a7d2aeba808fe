/** Keeps us a good guest: one connect at a time per host, and only so many in a given time. */
import PQueue from 'p-queue';
import type { Clock } from '../clock.ts';

export interface BudgetLimits {
  burst: number;
  refillMs: number;
}

/** Whole tokens, earned one per `refillMs` up to `burst`. */
export class TokenBucket {
  readonly #limits: BudgetLimits;
  #tokens: number;
  #countedAt: number;

  constructor(limits: BudgetLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#countedAt = now;
  }

  /** Takes a token and gives 0, or gives the time until there is one. */
  take(now: number): number {
    this.#earn(now);
    if (this.#tokens === 0) return this.#countedAt + this.#limits.refillMs - now;
    this.#tokens -= 1;
    return 0;
  }

  /** Gives a token back that did not cost the host anything. */
  giveBack(): void {
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + 1);
  }

  #earn(now: number): void {
    // A clock that was set back must not stop logins for longer than one refill.
    if (now < this.#countedAt) this.#countedAt = now;
    const earned = Math.floor((now - this.#countedAt) / this.#limits.refillMs);
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + earned);
    const full = this.#tokens === this.#limits.burst;
    this.#countedAt = full ? now : this.#countedAt + earned * this.#limits.refillMs;
  }
}

export class LoginBudget {
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #queue = new PQueue({ concurrency: 1 });

  constructor(limits: BudgetLimits, clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(limits, clock.now());
  }

  /**
   * Calls `login` when it is its turn and a token is there. `login` is given a function to call when
   * the host never saw the attempt (nothing answered on the port), which returns the token.
   */
  admit<T>(login: (unseen: () => void) => Promise<T>): Promise<T> {
    return this.#queue.add(async () => {
      await this.#awaitToken();
      return await login(() => this.#bucket.giveBack());
    });
  }

  async #awaitToken(): Promise<void> {
    for (;;) {
      const waitMs = this.#bucket.take(this.#clock.now());
      if (waitMs === 0) return;
      await new Promise<void>((resolve) => {
        this.#clock.after(waitMs, resolve);
      });
    }
  }
}
