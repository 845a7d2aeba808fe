/**
 * Keeps us a good guest: one connect at a time per host, only so many in a given time, and none while
 * the host has said that it is too much. sshd turns logins away before its banner when too many are
 * under way (MaxStartups) or when it punishes an address (PerSourcePenalties, on by default since
 * OpenSSH 9.8: failed logins add up to a ban); both pass when nobody knocks.
 */
import PQueue from 'p-queue';
import { backoffMs } from '../../domain/backoff.ts';
import { AppError, type ErrorCode, toAppError } from '../../domain/failure.ts';
import type { Clock } from '../clock.ts';
import type { LoginUse } from '../host.ts';
import { type BucketLimits, TokenBucket } from './token-bucket.ts';

/** With the jitter of backoffMs: 5–10 s after the first time, 2.5–5 minutes in the end. */
const BUSY_BACKOFF = { firstMs: 10_000, capMs: 300_000 };
/** A host that closes without a word may be restarting; one that does so again and again is turning us away. */
const MUTE_MAX = 3;
/** sshd counts a login as under way until its own halves have told each other of the end. */
const SETTLE_MS = 200;
/** sshd adds 5 s for a failed login and shuts the door at 15 s: after two in a row we let it forget them. */
const PENALTIES_MAX = 2;
const PENALTY_PAUSE_MS = 15_000;
const HOUR_MS = 3_600_000;

/** Logins that sshd's PerSourcePenalties count against us. */
const PENALISED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SSH_AUTH_FAILED',
  'SSH_HOST_KEY_UNKNOWN',
  'SSH_HOST_KEY_CHANGED',
  'SSH_HOST_KEY_REVOKED',
]);

export class LoginBudget {
  readonly #limits: BucketLimits;
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #queue = new PQueue({ concurrency: 1 });
  /** When logins of the last hour began. */
  #begun: number[] = [];
  #failed = 0;
  #refused = 0;
  #notBefore = 0;
  #penalties = 0;
  #mutes = 0;
  #refusalsInRow = 0;
  #held: { until: number; error: AppError } | undefined;

  constructor(limits: BucketLimits, clock: Clock, random: () => number = Math.random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#bucket = new TokenBucket(limits, clock.now());
  }

  /**
   * Calls `login` when it is its turn and a token is there. `login` is given two functions: one to
   * call when the host never saw the attempt (nothing answered on the port), which returns the token,
   * and one when the host closed without a word.
   * @throws SSH_HOST_BUSY without a try while the host wants to be left alone; `retryAt` of its
   * context says until when
   */
  admit<T>(login: (unseen: () => void, mute: () => void) => Promise<T>): Promise<T> {
    return this.#queue.add(async () => {
      this.#refuseHeld();
      await this.#awaitToken();
      this.#begun.push(this.#clock.now());
      let unseen = false;
      let mute = false;
      try {
        const result = await login(
          () => (unseen = true),
          () => (mute = true),
        );
        this.#settle();
        this.#refusalsInRow = 0;
        this.#mutes = 0;
        this.#penalties = 0;
        return result;
      } catch (thrown) {
        if (unseen) throw this.#forget(thrown);
        this.#settle();
        throw this.#judge(toAppError(thrown), mute);
      }
    });
  }

  /** What was used and what is left, now. */
  use(): LoginUse {
    const now = this.#clock.now();
    this.#trim(now);
    const earned = now + this.#bucket.waitMs(now);
    const pausedUntil = this.#penalties >= PENALTIES_MAX ? this.#notBefore : 0;
    const nextAt = Math.max(earned, pausedUntil, this.#heldAt(now)?.until ?? 0);
    return {
      burst: this.#limits.burst,
      refillMs: this.#limits.refillMs,
      left: this.#bucket.left(now),
      nextAt: nextAt > now ? nextAt : undefined,
      usedLastHour: this.#begun.length,
      waiting: this.#queue.size,
      failed: this.#failed,
      refused: this.#refused,
    };
  }

  /** What the host never saw counts nowhere. */
  #forget(thrown: unknown): unknown {
    this.#begun.pop();
    this.#bucket.giveBack();
    return thrown;
  }

  #judge(error: AppError, mute: boolean): AppError {
    this.#mutes = mute ? this.#mutes + 1 : 0;
    if (error.code === 'SSH_HOST_BUSY') return this.#hold(error);
    if (mute && this.#mutes >= MUTE_MAX) {
      const message = `${error.message} before its banner, ${this.#mutes} times in a row`;
      const { context, cause } = error;
      return this.#hold(new AppError('SSH_HOST_BUSY', message, { context, cause }));
    }
    this.#failed += 1;
    if (PENALISED.has(error.code)) {
      this.#penalties += 1;
      if (this.#penalties >= PENALTIES_MAX) this.#settle(PENALTY_PAUSE_MS);
    }
    return error;
  }

  #hold(error: AppError): AppError {
    const now = this.#clock.now();
    const until = now + backoffMs(this.#refusalsInRow, BUSY_BACKOFF, this.#random());
    this.#refused += 1;
    this.#refusalsInRow += 1;
    this.#held = { until, error: error.in({ retryAt: until }) };
    return this.#held.error;
  }

  #heldAt(now: number): { until: number; error: AppError } | undefined {
    // A clock that was set back must not hold for longer than was meant.
    if (this.#held !== undefined && this.#held.until - now > BUSY_BACKOFF.capMs)
      this.#held = undefined;
    return this.#held !== undefined && now < this.#held.until ? this.#held : undefined;
  }

  #refuseHeld(): void {
    const held = this.#heldAt(this.#clock.now());
    if (held !== undefined) throw held.error;
  }

  #settle(ms = SETTLE_MS): void {
    this.#notBefore = this.#clock.now() + ms;
  }

  #trim(now: number): void {
    this.#begun = this.#begun.filter((at) => now - at < HOUR_MS);
  }

  async #awaitToken(): Promise<void> {
    const settling = this.#notBefore - this.#clock.now();
    if (settling > 0) await this.#pause(Math.min(settling, PENALTY_PAUSE_MS));
    for (;;) {
      const now = this.#clock.now();
      this.#trim(now);
      const waitMs = this.#bucket.take(now);
      if (waitMs === 0) return;
      await this.#pause(waitMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }
}
