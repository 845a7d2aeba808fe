/**
 * The walk: one scenario again and again, each time with the daemon killed at another point that it
 * passes. The points are not listed anywhere: a traced run tells them. Each run has a daemon, a state
 * directory and a remote root of its own, so several go on at a time.
 */

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { BED } from '../../support/bed.ts';
import { storedStates } from '../../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../../support/daemon.ts';
import { PATIENCE } from '../../support/patience.ts';
import { CONVERGE_MS } from './eventually.ts';
import { type Life, type Lives, passedIn, startLives } from './lives.ts';
import { distinct } from './points.ts';
import type { Play, Scenario } from './scenario.ts';

/** The points at which the daemon is killed, one in each life: `launch.after:1`. */
export type Plan = readonly string[];

export interface Outcome {
  scenario: string;
  plan: Plan;
  /** How many of the points were reached: what depends on time may not come a second time. */
  reached: number;
  kills: number;
  /** From the last kill until all was as it has to be. */
  convergedMs: number;
  violation?: string;
}

const TRACED: Life = { TOWLINE_FAULT_TRACE: '1' };

/** Runs a scenario undisturbed and gives the points it passes, in order. */
export async function tracePoints(scenario: Scenario): Promise<string[]> {
  return await onStage(scenario, async (play, daemon) => {
    const lives = startLives(daemon, [TRACED]);
    await toTheEnd(play, lives);
    return distinct(passedIn(lives.log(0)));
  });
}

/**
 * Kills at `first` and gives the points that the recovery passes: those until it has committed
 * something of its own. From there on it is a life as any other.
 */
export async function traceRecovery(scenario: Scenario, first: string): Promise<string[]> {
  return await onStage(scenario, async (play, daemon) => {
    const lives = startLives(daemon, [{ TOWLINE_FAULT: first }, TRACED]);
    await toTheEnd(play, lives);
    if (lives.deaths.length === 0) return [];
    const points = passedIn(lives.log(1));
    const progress = points.findIndex((point) => point.startsWith('store.commit.after'));
    return distinct(progress < 0 ? points : points.slice(0, progress + 1));
  });
}

/** Runs a scenario with one kill in each of the first lives. */
export async function killAt(name: string, scenario: Scenario, plan: Plan): Promise<Outcome> {
  return await onStage(scenario, async (play, daemon) => {
    const lives = startLives(
      daemon,
      plan.map((point) => ({ TOWLINE_FAULT: point })),
      (life) => assertStands(daemon, plan[life] ?? ''),
    );
    return await recorded({ name, plan, daemon, lives }, () => toTheEnd(play, lives));
  });
}

/** What the database has to say of a task while its step is carried out. */
const STATES: Readonly<Record<string, string>> = {
  stage: 'staging',
  pull: 'pulling',
  launch: 'launching',
  watch: 'running',
  collect: 'collecting',
  cancel: 'cancelling',
};

/** The store knows of a step before it begins, and of its end only after that. @throws AssertionError */
function assertStands(daemon: TestDaemon, point: string): void {
  const state = STATES[point.split('.')[0] ?? ''];
  if (state === undefined) return;
  const states = storedStates(daemon);
  assert.ok(states.includes(state), `killed at ${point}, in the database: ${states.join(' ')}`);
}

/** Notes what came of a run; `act` gives the time at which all had happened. */
export async function recorded(
  run: { name: string; plan: Plan; daemon: TestDaemon; lives: Lives },
  act: () => Promise<number>,
): Promise<Outcome> {
  const { name, plan, daemon, lives } = run;
  const began = performance.now();
  const tell = (until: number): Outcome => ({
    scenario: name,
    plan,
    reached: [...daemon.log().matchAll(/fault point \S+ reached/g)].length,
    kills: lives.deaths.length,
    convergedMs: Math.max(0, Math.round(until - (lives.deaths.at(-1) ?? began))),
  });
  try {
    return tell(await act());
  } catch (error) {
    const kept = join(BED, 'log', `walk-${name}-${plan.join('-')}.log`);
    copyFileSync(join(daemon.dir, 'daemon.log'), kept);
    const why = error instanceof Error ? error.message : String(error);
    return { ...tell(performance.now()), violation: `${why}\n  log: ${kept}` };
  }
}

async function onStage<T>(
  scenario: Scenario,
  act: (play: Play, daemon: TestDaemon) => Promise<T>,
): Promise<T> {
  await using daemon = makeDaemon(scenario.options);
  const play = await scenario.begin(daemon);
  try {
    return await act(play, daemon);
  } finally {
    play.remove();
  }
}

/** Plays, looks, ends the daemon, looks again; gives the time at which all was played. */
async function toTheEnd(play: Play, lives: Lives): Promise<number> {
  let settledAt = 0;
  for (let again = true; again; ) {
    const deaths = lives.deaths.length;
    await inTime(lives, play.act(lives.ask), 'what was asked has not happened');
    settledAt = performance.now();
    await inTime(lives, play.look(lives.ask), 'the daemon does not answer');
    await inTime(lives, lives.ready(), 'the daemon does not get ready');
    again = lives.deaths.length > deaths && (lives.deaths.at(-1) ?? 0) > settledAt;
    again ||= await inTime(lives, lives.stop(), 'the daemon does not end');
  }
  await play.remains();
  return settledAt;
}

/** @throws what a life ends by, or that it takes too long */
export async function inTime<T>(lives: Lives, work: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} in ${CONVERGE_MS * PATIENCE} ms`)),
    CONVERGE_MS * PATIENCE,
  );
  try {
    return await Promise.race([work, lives.failed, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does `act` for all items, so many at a time. */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of left) await act(item);
    }),
  );
}
