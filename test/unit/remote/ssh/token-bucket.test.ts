/** The bucket under any sequence of askings: never more than burst plus refills, in any window. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenBucket } from '../../../../src/remote/ssh/token-bucket.ts';

it('gives the burst at once and then one per refill', () => {
  const bucket = new TokenBucket({ burst: 2, refillMs: 100 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(60)]).toEqual([
    0, 0, 100, 40,
  ]);
  expect([bucket.take(100), bucket.take(100), bucket.take(350)]).toEqual([0, 100, 0]);
});

it('never gives more than burst + t / refill in any window, however it is asked', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 }),
      (burst, steps) => {
        const bucket = new TokenBucket({ burst, refillMs: 100 }, 0);
        const taken: number[] = [];
        let now = 0;
        for (const step of steps) {
          now += step;
          if (bucket.take(now) === 0) taken.push(now);
        }
        for (const [first, from] of taken.entries()) {
          for (const [last, to] of taken.entries()) {
            if (last < first) continue;
            expect(last - first + 1).toBeLessThanOrEqual(burst + Math.floor((to - from) / 100));
          }
        }
      },
    ),
  );
});

it('says what is left and when there is more without taking it', () => {
  const bucket = new TokenBucket({ burst: 2, refillMs: 100 }, 0);
  expect([bucket.left(0), bucket.waitMs(0)]).toEqual([2, 0]);
  bucket.take(0);
  bucket.take(0);
  expect([bucket.left(30), bucket.waitMs(30), bucket.left(100)]).toEqual([0, 70, 1]);
});

it('is not stopped by a clock that is set back', () => {
  const bucket = new TokenBucket({ burst: 1, refillMs: 100 }, 1_000_000);
  expect(bucket.take(1_000_000)).toBe(0);
  expect(bucket.take(5)).toBe(100);
  expect(bucket.take(105)).toBe(0);
});
