/** Goal: budgets and waits count evenly when the clock of the machine is set. Method: Date alone is moved. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { asSetNow, SYSTEM_CLOCK } from '../../../src/remote/clock.ts';

const YEAR = 365 * 86_400_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

test.each([YEAR, -YEAR, 600_000])('row 28: a clock that is set by %d ms moves no wait', (step) => {
  const before = SYSTEM_CLOCK.now();
  expect(SYSTEM_CLOCK.setBy?.()).toBe(0);
  vi.setSystemTime(Date.now() + step);
  expect(SYSTEM_CLOCK.now() - before).toBeLessThan(10_000);
  expect(SYSTEM_CLOCK.now()).toBeGreaterThanOrEqual(before);
  const link = { kind: 'unreachable', since: before, nextTryAt: before + 5_000, code: 'X' };
  const told = asSetNow(link, SYSTEM_CLOCK);
  expect(told).toMatchObject({ kind: 'unreachable', code: 'X' });
  expect(told.nextTryAt - told.since).toBe(5_000);
  expect(Math.abs(told.since - Date.now())).toBeLessThan(10_000);
});
