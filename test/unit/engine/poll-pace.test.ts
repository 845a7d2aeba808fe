/** Looks kept to so many per second, on a clock that only the waits move. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createPollPace } from '../../../src/engine/poll-pace.ts';

/** Looks one after another with these pauses in between, and gives when each was made. */
async function looksAt(perSecond: number, pauses: number[]): Promise<number[]> {
  vi.useFakeTimers({ now: 0 });
  try {
    const pace = createPollPace(perSecond, () => Date.now());
    const times: number[] = [];
    const all = (async () => {
      for (const pause of pauses) {
        await pace.poll(async () => void times.push(Date.now()));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    })();
    await vi.runAllTimersAsync();
    await all;
    return times;
  } finally {
    vi.useRealTimers();
  }
}

test('no second ever holds more looks than allowed, and none waits longer than it must', async () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), pauses, async (limit, list) => {
      const times = await looksAt(limit, list);
      for (const from of times)
        expect(times.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(
          limit,
        );
      const waits = times.map((at, index) => at - (times[index - 1] ?? 0) - (list[index - 1] ?? 0));
      expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
    }),
    { numRuns: 60 },
  );
});

test('what just started is looked at fast, and output that flows without long gaps', async () => {
  const times = await looksAt(10, Array<number>(40).fill(30));
  expect(times.slice(0, 5)).toEqual([0, 30, 60, 90, 120]);
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(500);
  expect((times.at(-1) ?? 0) / times.length).toBeLessThan(110);
});

test('a turn ends with its signal, and what was looked is measured', async () => {
  const pace = createPollPace(1);
  await pace.poll(async () => {});
  const controller = new AbortController();
  const second = pace.poll(async () => 'looked', controller.signal);
  controller.abort();
  expect(await second).toBe('looked');
  expect([pace.use(), pace.times().count]).toEqual([{ limit: 1, lastSecond: 2 }, 2]);
});
