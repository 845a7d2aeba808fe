/**
 * Goal: the simulator can fail. Method: one guard of the product taken away at a time; some history
 * must break a promise, and can be made short enough to be read.
 */

import { expect, test } from 'vitest';
import { PATIENCE } from '../support/patience.ts';
import { runCampaign } from './campaign.ts';
import { CONTROLS, type Control } from './controls.ts';
import { type History, runHistory } from './history.ts';
import { shrink, told } from './shrink.ts';

const HISTORIES_MAX = 20_000;

/** Without a guard more than one promise may break: the one it is there for is looked for. */
function findOut(control: Control): History {
  const seen = new Set<string>();
  for (let seed = 1; seed <= HISTORIES_MAX; ) {
    const campaign = { seed, count: HISTORIES_MAX - seed + 1, violationsMax: 1 };
    const [found] = runCampaign(campaign, control).violations;
    if (found === undefined) break;
    if (control.breaks.test(found.promise)) return runHistory({ seed: found.seed }, control);
    seen.add(found.promise);
    seed = found.seed + 1;
  }
  throw new Error(`not found in ${HISTORIES_MAX} histories, but ${[...seen].join(', ')}`);
}

test.each(CONTROLS)('found out: $name', { timeout: 120_000 * PATIENCE }, (control) => {
  expect(findOut(control).violation?.promise).toMatch(control.breaks);
});

test('what was found is made short and told step by step', { timeout: 60_000 * PATIENCE }, () => {
  const control = CONTROLS.find(({ name }) => name.startsWith('the name of an attempt'));
  if (control === undefined) throw new Error('no such control');
  const found = findOut(control);
  const short = shrink(found, control);
  const faults = Object.values(short.faults).reduce((sum, count) => sum + count, 0);
  expect(faults).toBeLessThan(4);
  expect(short.violation?.promise).toBe(found.violation?.promise);
  const steps = told(short);
  expect(steps).toMatch(/COMMIT t\d submitted|FAULT power lost/);
  expect(steps).toContain('FAULT power lost');
  expect(steps.split('\n').at(-1)).toContain('VIOLATION of "one start"');
});
