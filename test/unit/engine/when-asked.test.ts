/** Goal: one act at a time, none forgotten. Method: acts that end when told. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { whenAsked } from '../../../src/engine/when-asked.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('many askings are one act, and what is asked during it is one more after it', async () => {
  const gates: (() => void)[] = [];
  let acting = 0;
  let most = 0;
  const ask = whenAsked(
    async () => {
      most = Math.max(most, (acting += 1));
      await new Promise<void>((resolve) => gates.push(resolve));
      acting -= 1;
    },
    () => {},
    1_000,
  );
  for (let i = 0; i < 10; i += 1) ask();
  await tick();
  expect(gates).toHaveLength(1);
  for (let i = 0; i < 10; i += 1) ask();
  await tick();
  expect(gates).toHaveLength(1);
  gates[0]?.();
  await tick();
  expect(gates).toHaveLength(2);
  gates[1]?.();
  await tick();
  await tick();
  expect([gates.length, most]).toEqual([2, 1]);
});

test('an act that failed is told and done again after a while, or at once when asked', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const failures: unknown[] = [];
  let acts = 0;
  const ask = whenAsked(
    async () => {
      acts += 1;
      if (acts < 3) throw new Error(`act ${acts}`);
    },
    (error) => failures.push(error),
    1_000,
  );
  ask();
  await tick();
  expect([acts, failures.length]).toEqual([1, 1]);
  ask();
  await tick();
  expect([acts, failures.length]).toEqual([2, 2]);
  vi.advanceTimersByTime(1_000);
  await tick();
  expect([acts, failures.length]).toEqual([3, 2]);
});
