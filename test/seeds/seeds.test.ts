/**
 * Goal: whatever fails, no task is lost, none starts twice, no byte is lost or wrong, nothing is left behind.
 * Method: tasks on the bed under random faults of every kind, made from seeds; an oracle outside the system.
 * `scripts/faults seeds` plays more of them, or a single one again.
 */
import { expect, test } from 'vitest';
import { TAKES_ALL } from '../support/share.ts';
import { runSeeds } from './many.ts';
import { lineOf, summarise, textOf } from './report.ts';

const SEEDS = TAKES_ALL ? 24 : 5;
const TASKS = 3;

test(`${SEEDS} runs with random faults come to rest without a violation`, async () => {
  const told: string[] = [];
  const results = await runSeeds({
    ...{ first: 1, count: SEEDS, tasks: TASKS, jobs: 4 },
    told: (result) => told.push(lineOf(result, TASKS)),
  });
  const summary = summarise(results);
  console.log(textOf(summary));
  expect(summary.violations, told.join('\n')).toBe(0);
  expect(summary.attempts).toBeGreaterThanOrEqual(SEEDS * TASKS);
}, 900_000);
