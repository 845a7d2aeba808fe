/** The login budget under a clock turned by hand: never more logins than burst plus refills. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LoginBudget, TokenBucket } from '../../../../src/remote/ssh/login-budget.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

it('gives the burst at once and then one per refill', () => {
  const bucket = new TokenBucket({ burst: 2, refillMs: 100 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(60)]).toEqual([
    0, 0, 100, 40,
  ]);
  expect([bucket.take(100), bucket.take(100), bucket.take(350)]).toEqual([0, 100, 0]);
});

it('never gives more than burst + elapsed / refill, however it is asked', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 }), (steps) => {
      const bucket = new TokenBucket({ burst: 3, refillMs: 100 }, 0);
      let now = 0;
      let taken = 0;
      for (const step of steps) {
        now += step;
        if (bucket.take(now) === 0) taken += 1;
        expect(taken).toBeLessThanOrEqual(3 + Math.floor(now / 100));
      }
    }),
  );
});

it('is not stopped by a clock that is set back', () => {
  const bucket = new TokenBucket({ burst: 1, refillMs: 100 }, 1_000_000);
  expect(bucket.take(1_000_000)).toBe(0);
  expect(bucket.take(5)).toBe(100);
  expect(bucket.take(105)).toBe(0);
});

it('lets one login in at a time and waits for a token', async () => {
  const clock = turnedClock();
  const budget = new LoginBudget({ burst: 2, refillMs: 1_000 }, clock);
  let inside = 0;
  let most = 0;
  let done = 0;
  const login = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await Promise.resolve();
    inside -= 1;
    done += 1;
  };
  const all = Promise.all(Array.from({ length: 4 }, () => budget.admit(login)));
  await clock.turn(0);
  expect(done).toBe(2);
  await clock.turn(1_000);
  expect(done).toBe(3);
  await clock.turn(1_000);
  await all;
  expect([done, most]).toEqual([4, 1]);
});

it('gives the token of an attempt that the host never saw back', async () => {
  const clock = turnedClock();
  const budget = new LoginBudget({ burst: 1, refillMs: 1_000 }, clock);
  const fail = budget.admit(async (unseen) => {
    unseen();
    throw new Error('refused');
  });
  await expect(fail).rejects.toThrow('refused');
  await budget.admit(async () => {});
  expect(clock.waiting()).toBe(0);
});
