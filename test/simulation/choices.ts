/**
 * Every chance of a history is one number drawn here. A history is therefore a list of small numbers:
 * it can be replayed, and made shorter by leaving numbers out. 0 is always the tame choice.
 */

/** sfc32: small, fast, and the same on every machine. */
function sfc32(seed: number): () => number {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let count = (seed / 2 ** 32) | 1;
  const next = (): number => {
    const t = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i += 1) next();
  return next;
}

export class Choices {
  /** What was drawn, in order. */
  readonly drawn: number[] = [];
  readonly #next: () => number;

  private constructor(next: () => number) {
    this.#next = next;
  }

  static fromSeed(seed: number): Choices {
    return new Choices(sfc32(seed));
  }

  /** The same choices again; after the last one, only tame ones. */
  static replay(drawn: readonly number[]): Choices {
    let at = 0;
    return new Choices(() => drawn[at++] ?? 0);
  }

  /** 0 ≤ result < n. */
  below(n: number): number {
    const value = this.#next() % n;
    this.drawn.push(value);
    return value;
  }

  /** True in `percent` of 100 cases; false is tame. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}
