/**
 * Goal: the simulator can fail. Method: one guard of the product taken away at a time; some history
 * must break a promise, and can be made short enough to be read.
 */
import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { CONTROLS, type Control } from './controls.ts';
import { type History, runHistory } from './history.ts';
import { shrink, told } from './shrink.ts';

const HISTORIES_MAX = 20_000;

function findOut(control: Control): History {
  const { violations } = runCampaign({ seed: 1, count: HISTORIES_MAX, violationsMax: 1 }, control);
  const [found] = violations;
  if (found === undefined) throw new Error(`not found in ${HISTORIES_MAX} histories`);
  return runHistory({ seed: found.seed }, control);
}

test.each(CONTROLS)('found out: $name', { timeout: 120_000 }, (control) => {
  expect(findOut(control).violation?.promise).toMatch(control.breaks);
});

test('what was found is made short and told step by step', { timeout: 60_000 }, () => {
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
