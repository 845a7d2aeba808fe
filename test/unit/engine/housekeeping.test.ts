/** Goal: kept work goes by itself when its time is over, and not because somebody set the clock. Method: both clocks by hand. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startHousekeeping } from '../../../src/engine/housekeeping.ts';
import { LOG } from '../../support/engine-parts.ts';
import { FakeService } from '../../support/fake-service.ts';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([YEAR, -YEAR])('row 28: a clock set by %d ms puts it off by an hour', async (step) => {
  const service = new FakeService();
  const looks = (): number => service.calls.filter(({ name }) => name === 'gc').length;
  let steady = 0;
  let set = 0;
  const clocks = { now: () => 1_000_000 * HOUR + steady + set, steady: () => steady };
  const keeping = startHousekeeping({ service, log: LOG, ...clocks });
  const hour = async (): Promise<void> => {
    steady += HOUR;
    await vi.advanceTimersByTimeAsync(HOUR);
  };
  await hour();
  expect(looks()).toBe(1);
  set = step;
  await hour();
  expect(looks()).toBe(1);
  await hour();
  expect(looks()).toBe(2);
  keeping.stop();
  await hour();
  expect(looks()).toBe(2);
});
