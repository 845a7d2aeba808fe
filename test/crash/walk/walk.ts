/**
 * The walk: one scenario again and again, each time with the daemon killed at another point that it
 * passes. The points are not listed anywhere: a traced run tells them. Each run has a daemon, a state
 * directory and a remote root of its own, so several go on at a time.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { BED } from '../../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../support/daemon.ts';
import { type Life, type Lives, passedIn, startLives } from './lives.ts';
import { distinct } from './points.ts';
import type { Play, Scenario } from './scenario.ts';

/** The points at which the daemon is killed, one in each life: `launch.after:1`. */
export type Plan = readonly string[];

export interface Outcome {
  scenario: string;
  plan: Plan;
  /** How many of the points were reached: what depends on time may not come a second time. */
  kills: number;
  /** From the last kill until all was as it has to be. */
  convergedMs: number;
  violation?: string;
}

const CONVERGE_MS = 60_000;
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
  const began = performance.now();
  return await onStage(scenario, async (play, daemon) => {
    const lives = startLives(
      daemon,
      plan.map((point) => ({ TOWLINE_FAULT: point })),
    );
    const tell = (violation?: string): Outcome => ({
      scenario: name,
      plan,
      kills: lives.deaths.length,
      convergedMs: Math.round(performance.now() - (lives.deaths.at(-1) ?? began)),
      ...(violation !== undefined && { violation }),
    });
    try {
      const settledAt = await toTheEnd(play, lives);
      return { ...tell(), convergedMs: Math.round(settledAt - (lives.deaths.at(-1) ?? began)) };
    } catch (error) {
      const kept = join(BED, 'log', `walk-${name}-${plan.join('-')}.log`);
      copyFileSync(join(daemon.dir, 'daemon.log'), kept);
      return tell(`${error instanceof Error ? error.message : String(error)}\n  log: ${kept}`);
    }
  });
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

async function inTime<T>(lives: Lives, work: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} in ${CONVERGE_MS} ms`)),
    CONVERGE_MS,
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
