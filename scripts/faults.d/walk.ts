/**
 * The exhaustive walk from the command line: every point of every scenario, or the share that is asked
 * for; says how it goes, sums up, and tells how to do a single run again.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { spread, withFewLooks } from '../../test/crash/walk/points.ts';
import { MOVES, type Move, raceAt, tracePointsOfRace } from '../../test/crash/walk/race.ts';
import { howAgain } from '../../test/crash/walk/replay.ts';
import { SCENARIOS } from '../../test/crash/walk/scenarios.ts';
import {
  inLanes,
  killAt,
  type Outcome,
  type Plan,
  tracePoints,
  traceRecovery,
} from '../../test/crash/walk/walk.ts';

const USAGE = `usage: scripts/faults walk [options]
Kills the daemon at each point that a scenario passes, starts it again and looks whether all is as it has to be.
  --scenario NAME  this one (repeatable); by default all
  --all            every hit of every point, and a second kill at every point of every recovery
  --second N       so many second kills per scenario, spread over all (default 10)
  --part I/N       the Ith of N equal parts of the runs
  --race MOVE      instead of the scenarios, cancel a task at each point while the daemon pauses there, which
                   then goes on at once (release), when the cancel is over (late), or is killed (kill)
  --only POINT     a single run; POINT,POINT for a second kill during the recovery
  --jobs N         so many daemons at a time (default 4)
  --json           the figures as JSON on stdout
scenarios:`;

/** Without --all, of the points that come again and again while a task runs. */
const LOOKS = 12;

interface Options {
  scenarios: string[];
  all: boolean;
  second: number;
  race: Move | undefined;
  part: { index: number; of: number };
  only: Plan | undefined;
  jobs: number;
  json: boolean;
}

async function main(): Promise<number> {
  const options = parse();
  if (options === undefined) {
    console.error(usage());
    return 2;
  }
  const outcomes: Outcome[] = [];
  if (options.race !== undefined) outcomes.push(...(await race(options.race, options)));
  else for (const name of options.scenarios) outcomes.push(...(await walk(name, options)));
  const figures = figuresOf(outcomes);
  console.log(options.json ? JSON.stringify({ ...figures, outcomes }, null, 2) : textOf(figures));
  return figures.violations === 0 ? 0 : 1;
}

function parse(): Options | undefined {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true },
      all: { type: 'boolean', default: false },
      second: { type: 'string', default: '10' },
      race: { type: 'string' },
      part: { type: 'string', default: '1/1' },
      only: { type: 'string' },
      jobs: { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const scenarios = values.scenario ?? Object.keys(SCENARIOS);
  const [index = 0, of = 0] = values.part.split('/').map(Number);
  const jobs = Number(values.jobs);
  const second = Number(values.second);
  const race = MOVES.find((move) => move === values.race);
  const fits =
    !values.help &&
    race === values.race &&
    scenarios.every((name) => name in SCENARIOS) &&
    [index, of, jobs, second].every(Number.isInteger) &&
    jobs > 0 &&
    index > 0 &&
    index <= of;
  if (!fits) return undefined;
  const { all, json } = values;
  const only = values.only?.split(',');
  return { scenarios, all, second, race, part: { index, of }, only, jobs, json };
}

function usage(): string {
  const lines = Object.entries(SCENARIOS).map(
    ([name, { about }]) => `  ${name.padEnd(15)} ${about}`,
  );
  return [USAGE, ...lines].join('\n');
}

async function walk(name: string, options: Options): Promise<Outcome[]> {
  const { plans, untraced } = await plansOf(name, options);
  const scenario = scenarioOf(name);
  return [...untraced, ...(await runAll(plans, options, (plan) => killAt(name, scenario, plan)))];
}

async function race(move: Move, options: Options): Promise<Outcome[]> {
  const points = options.only ?? (await tracePointsOfRace());
  const few = options.all ? points : withFewLooks(points, LOOKS);
  const plans = inPart(few, options.part).map((point) => [point]);
  return await runAll(plans, options, ([point = '']) => raceAt(point, move));
}

async function runAll(
  plans: readonly Plan[],
  { jobs }: Pick<Options, 'jobs'>,
  run: (plan: Plan) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await inLanes(plans, jobs, async (plan) => {
    const outcome = await run(plan);
    outcomes.push(outcome);
    const { scenario, kills, convergedMs, violation } = outcome;
    const how = violation ?? `${kills} killed, ${convergedMs} ms`;
    const count = `${outcomes.length}/${plans.length}`;
    process.stderr.write(`[${count}] ${scenario} ${plan.join(',')}: ${how}\n`);
  });
  return outcomes;
}

interface Plans {
  plans: Plan[];
  /** Kills after which the recovery could not be traced to its end: violations, too. */
  untraced: Outcome[];
}

/** The runs, in an order that does not depend on what is fast. */
async function plansOf(name: string, { all, second, part, only, jobs }: Options): Promise<Plans> {
  if (only !== undefined) return { plans: [only], untraced: [] };
  const scenario = scenarioOf(name);
  const points = await tracePoints(scenario);
  process.stderr.write(`${name}: ${points.length} points\n`);
  const first = inPart(all ? points : withFewLooks(points, LOOKS), part);
  const starts = all ? first : spread(first, second);
  const { recoveries, untraced } = await traceRecoveries(name, starts, jobs);
  const pairs = starts.map((point) => (recoveries.get(point) ?? []).map((next) => [point, next]));
  // Of each recovery another point: what they have in common comes at their beginning.
  const seconds = all ? pairs.flat() : pairs.flatMap((own, index) => own.slice(index, index + 1));
  return { plans: [...first.map((point) => [point]), ...seconds], untraced };
}

async function traceRecoveries(
  name: string,
  starts: readonly string[],
  jobs: number,
): Promise<{ recoveries: Map<string, string[]>; untraced: Outcome[] }> {
  const scenario = scenarioOf(name);
  const recoveries = new Map<string, string[]>();
  const untraced: Outcome[] = [];
  await inLanes(starts, jobs, async (point) => {
    try {
      recoveries.set(point, await traceRecovery(scenario, point));
    } catch (error) {
      const violation = `its recovery: ${error instanceof Error ? error.message : String(error)}`;
      process.stderr.write(`${name} ${point}: ${violation}\n`);
      const kill = { scenario: name, plan: [point], reached: 1, kills: 1, convergedMs: 0 };
      untraced.push({ ...kill, violation });
    }
  });
  return { recoveries, untraced };
}

function inPart<T>(items: readonly T[], { index, of }: Options['part']): T[] {
  return items.filter((_, at) => at % of === index - 1);
}

function scenarioOf(name: string) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario;
}

interface Figures {
  runs: number;
  points: number;
  kills: number;
  secondKills: number;
  notReached: number;
  violations: number;
  convergedMs: { median: number; max: number };
  failed: string[];
}

function figuresOf(outcomes: readonly Outcome[]): Figures {
  const times = outcomes.map(({ convergedMs }) => convergedMs).toSorted((a, b) => a - b);
  const broken = outcomes.filter(({ violation }) => violation !== undefined);
  return {
    runs: outcomes.length,
    points: new Set(outcomes.flatMap(({ plan }) => plan.map((point) => point.split(':')[0]))).size,
    kills: outcomes.reduce((sum, { kills }) => sum + kills, 0),
    secondKills: outcomes.filter(({ kills }) => kills > 1).length,
    notReached: outcomes.filter(({ reached, plan }) => reached < plan.length).length,
    violations: broken.length,
    convergedMs: { median: times[Math.floor(times.length / 2)] ?? 0, max: times.at(-1) ?? 0 },
    failed: broken.map(howAgain),
  };
}

function textOf({ failed, convergedMs, ...figures }: Figures): string {
  return [
    `runs ${figures.runs}, points ${figures.points} by name, kills ${figures.kills}`,
    `second kills during a recovery ${figures.secondKills}, plans not reached to their end ${figures.notReached}`,
    `time to converge: median ${convergedMs.median} ms, max ${convergedMs.max} ms`,
    ...failed,
    `violations ${figures.violations}`,
  ].join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
