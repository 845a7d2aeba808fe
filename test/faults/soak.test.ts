/**
 * Goal: what a daemon has open and has on its host does not grow with the tasks it has had. Method: the short form of
 * scripts/soak: some rounds of short tasks of all kinds on a host of its own, counted between them; no times.
 */
import { expect, test } from 'vitest';
import { COUNTS, judgeFlat } from '../support/soak/judge.ts';
import { soak } from '../support/soak/soak.ts';

const ROUNDS = 6;
const WARM_UP = 1;
/** Of each of the four kinds nine in all. */
const TASKS_A_ROUND = 6;

test('handles, threads, remote processes and directories are the same after three dozen tasks', async () => {
  const round = () => (begun: number) => begun < TASKS_A_ROUND;
  const samples = await soak({ rounds: ROUNDS, clients: 3, round });
  expect(samples.at(-1)?.tasks).toBe(ROUNDS * TASKS_A_ROUND);
  const grown = judgeFlat(samples, COUNTS, WARM_UP).filter(({ flat }) => !flat);
  expect(grown, JSON.stringify(samples)).toEqual([]);
});
