/**
 * Goal: whatever fails, in whatever order, the pure part keeps every promise, and everything is over
 * some time after all is mended. Method: ten thousand histories of the product's own decisions against
 * a model host in virtual time, promises checked after every step (docs/faults.md).
 */

import { expect, test } from 'vitest';
import { PATIENCE } from '../support/patience.ts';
import { runCampaign } from './campaign.ts';
import { runHistory } from './history.ts';
import { shrink, told } from './shrink.ts';

const BASE_SEED = 20_261_122;

test('ten thousand histories keep every promise', { timeout: 120_000 * PATIENCE }, () => {
  const tally = runCampaign({ seed: BASE_SEED, count: 10_000, violationsMax: 1 });
  const [found] = tally.violations;
  if (found !== undefined) {
    const steps = told(shrink(runHistory({ seed: found.seed })));
    throw new Error(
      `${found.promise}: ${found.what}\n${steps}\nagain: scripts/faults histories --seed ${found.seed} --count 1`,
    );
  }
  // They are worth something only if a lot happens in them.
  expect(tally.steps / tally.histories).toBeGreaterThan(100);
  expect(tally.attempts / tally.histories).toBeGreaterThan(2);
  expect(Object.keys(tally.faults).length).toBeGreaterThan(15);
});

test('a seed is a history: the same steps every time', () => {
  const once = runHistory({ seed: 7 }, { tracing: true });
  const again = runHistory({ seed: 7 }, { tracing: true });
  const replayed = runHistory({ drawn: once.drawn }, { tracing: true });
  expect(again.trace).toEqual(once.trace);
  expect(replayed.trace).toEqual(once.trace);
});
