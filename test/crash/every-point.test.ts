/**
 * Goal: the daemon may die at any moment. Wherever it dies, the same attempt goes on after a restart, the
 * payload is started once, no byte is lost or repeated and nothing half is left. Method: a traced run
 * tells the points that one whole task passes; the daemon is killed at many of them, then a second time
 * while it recovers; of the other scenarios a share is taken. `scripts/faults walk --all` takes all.
 */

import { expect, test } from 'vitest';
import { PATIENCE } from '../support/patience.ts';
import { shareOf } from '../support/share.ts';
import { chains, spread, withFewLooks } from './walk/points.ts';
import { howAgain } from './walk/replay.ts';
import { SCENARIOS } from './walk/scenarios.ts';
import {
  inLanes,
  killAt,
  type Outcome,
  type Plan,
  tracePoints,
  traceRecovery,
} from './walk/walk.ts';
import { wholeTask } from './walk/whole-task.ts';

/** Many runs each: about half a minute on a quiet machine, longer beside others. */
const LIMIT = { timeout: 600_000 * PATIENCE };
const LANES = 4;
/** Points of a whole task that one run of it is killed at, one in each life. */
const LIVES = 4;
/** Points of a whole task that are tried, evenly from its first to its last. */
const POINTS = 28;
/** Points of those that come again and again while a task runs. */
const LOOKS = 1;
/** First points whose recovery is killed, too. */
const RECOVERIES = 2;
/** Points of each of the other scenarios, of those that only they pass. */
const SHARE = 1;
const SHARES: Readonly<Record<string, number>> = { cancel: 2 };

test(
  'row 1: killed at any point of a whole task, the daemon takes up where it was',
  LIMIT,
  async () => {
    const points = await tracePoints(wholeTask);
    for (const kind of [
      'submitted',
      'placed',
      'staged',
      'image-ready',
      'launched',
      'exited',
      'collected',
    ])
      expect(points).toContain(`commit.${kind}.before:1`);
    const runs = (plans: readonly Plan[]) =>
      kill(plans.map((plan): [string, Plan] => ['task', plan]));
    const tried = shareOf(withFewLooks(points, LOOKS), POINTS);
    const inTurn = await runs(chains(tried, LIVES));
    // what a life did not pass that took up a task half done
    const missed = inTurn.flatMap(({ plan, kills }) => plan.slice(kills).map((point) => [point]));
    const outcomes = [...inTurn, ...(await runs(missed))];
    // how many looks there are, and with them what comes after each, is another number on a busy machine
    expect(outcomes.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(tried.length / 2);
  },
);

test('row 2: killed again while it recovers, the daemon takes up where it was', LIMIT, async () => {
  const points = spread(withFewLooks(await tracePoints(wholeTask), 0), RECOVERIES);
  const plans: Plan[] = [];
  await inLanes([...points.entries()], LANES, async ([index, point]) => {
    const recovery = await traceRecovery(wholeTask, point);
    // Another place of each recovery: what they have in common comes at their beginning.
    plans.push(
      ...spread(recovery, RECOVERIES)
        .slice(index, index + 1)
        .map((next) => [point, next]),
    );
  });
  const outcomes = await kill(plans.map((plan) => ['task', plan]));
  expect(outcomes.filter(({ kills }) => kills === 2).length).toBeGreaterThan(RECOVERIES / 2);
});

test(
  'row 1: killed at points that other tasks pass, the daemon takes up where it was',
  LIMIT,
  async () => {
    const others = shareOf(
      Object.entries(SCENARIOS).filter(([name]) => name !== 'task'),
      2,
    );
    const runs: [name: string, plan: Plan][] = [];
    await inLanes(others, LANES, async ([name, scenario]) => {
      const points = (await tracePoints(scenario)).filter((point) => isOwn(name, point));
      expect(points, `points of ${name}`).not.toEqual([]);
      runs.push(
        ...spread(points, SHARES[name] ?? SHARE).map((point): [string, Plan] => [name, [point]]),
      );
    });
    await kill(runs);
  },
);

/** What the whole task does not pass. */
function isOwn(name: string, point: string): boolean {
  const own: Record<string, RegExp> = {
    pull: /^(pull|remote\.run|commit\.image-ready)/,
    slurm: /submit|launch|job-submitted|remote\.run/,
    'slurm-cancel': /cancel|gone/,
    cancel: /cancel|gone/,
    retries: /^(commit\.(exited|placed|retry-asked)|clean)/,
    time: /^(watch\.after|commit\.exited|rename)/,
    overwrite: /^output/,
    gc: /gc-asked|forgotten|spool\.remove|clean/,
    finish: /^(finish|commit\.hook-ended)/,
    forget: /host-mode|commit\.cleaned/,
  };
  return own[name]?.test(point) ?? true;
}

/** @throws AssertionError that tells how to do each run again that broke a promise */
async function kill(runs: readonly (readonly [name: string, plan: Plan])[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await inLanes(runs, LANES, async ([name, plan]) => {
    outcomes.push(await killAt(name, SCENARIOS[name] ?? wholeTask, plan));
  });
  const broken = outcomes.filter(({ violation }) => violation !== undefined);
  expect(broken.map(howAgain)).toEqual([]);
  return outcomes;
}
