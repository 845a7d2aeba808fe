/** Whatever happens to the login nodes of a host: the order, no node twice in an attempt, none while it rests. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../src/domain/failure.ts';
import { type NodeTrouble, nodesToTry, troubleOf } from '../../src/remote/ssh/node-choice.ts';

const CODES: ErrorCode[] = [
  ...(['SSH_CONNECTION_REFUSED', 'SSH_HOST_UNREACHABLE', 'SSH_HOST_KEY_CHANGED'] as const),
  ...(['SSH_AUTH_FAILED', 'SSH_CONNECTION_LOST'] as const),
];
const REFUSED_MS = 600_000;

const outcome = fc.oneof(
  fc.constant<'ok'>('ok'),
  fc.constantFrom(...CODES),
  fc.integer({ min: 1, max: 300_000 }),
);
const attempt = fc.record({
  afterMs: fc.integer({ min: 0, max: 700_000 }),
  outcomes: fc.array(outcome, { minLength: 5, maxLength: 5 }),
});

it('holds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(attempt, { maxLength: 30 }),
      (count, attempts) => {
        const troubles: (NodeTrouble | undefined)[] = Array.from({ length: count });
        let now = 1;
        for (const { afterMs, outcomes } of attempts) {
          now += afterMs;
          const order = nodesToTry(troubles, now);
          const resting = troubles.map((trouble) => (trouble?.restsUntil ?? 0) > now);
          expect(order.length).toBeGreaterThan(0);
          expect(order).toEqual([...new Set(order)].toSorted((a, b) => a - b));
          if (resting.includes(false))
            expect(order).toEqual(resting.flatMap((rests, index) => (rests ? [] : [index])));
          else expect(order).toHaveLength(1);
          for (const index of order) {
            const what = outcomes[index] ?? 'ok';
            if (what === 'ok') {
              troubles[index] = undefined;
              break;
            }
            const before = troubles[index];
            const error = failure(what, now);
            troubles[index] = troubleOf(error, { now, refusedRetryMs: REFUSED_MS, before });
            const { since, restsUntil } = troubles[index];
            expect(since).toBe(before?.error.code === error.code ? before.since : now);
            // A host is never left alone for longer than it asks for.
            expect(restsUntil - now).toBeLessThanOrEqual(REFUSED_MS);
          }
        }
      },
    ),
  );
});

function failure(what: ErrorCode | number, now: number): AppError {
  if (typeof what === 'string') return new AppError(what, what);
  return new AppError('SSH_HOST_BUSY', 'busy', { context: { retryAt: now + what } });
}
