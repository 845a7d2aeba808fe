/**
 * Histories of the pure part against a model host in virtual time, on all cores:
 * scripts/faults histories [--count K] [--seed S] [--json]. A broken promise is told step by step,
 * made short, with the line that plays it again; the exit code is then 1.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  add,
  convergedMedianS,
  emptyTally,
  runCampaign,
  type Tally,
} from '../../test/simulation/campaign.ts';
import { runHistory } from '../../test/simulation/history.ts';
import { shrink, told } from '../../test/simulation/shrink.ts';

const USAGE = `usage: scripts/faults histories [--count K] [--seed S] [--json]
  --count K  histories (10000)
  --seed S   seed of the first; the next has the next (20261122)
  --json     figures as JSON`;
const TOLD_MAX = 3;

interface Share {
  seed: number;
  count: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '20261122' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [count, seed] = [Number(values.count), Number(values.seed)];
  if (values.help || !Number.isInteger(count) || !Number.isInteger(seed) || count < 1) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  const start = performance.now();
  const tally = await runAll({ seed, count });
  const seconds = (performance.now() - start) / 1000;
  const figures = { ...figuresOf(tally), seconds, perSecond: tally.histories / seconds };
  console.log(values.json ? JSON.stringify(figures, null, 2) : tableOf(figures));
  for (const { seed: one } of tally.violations.slice(0, TOLD_MAX)) {
    console.error(`\n${told(shrink(runHistory({ seed: one })))}`);
    console.error(`again: scripts/faults histories --seed ${one} --count 1`);
  }
  return tally.violations.length === 0 ? 0 : 1;
}

/** Shares the seeds among as many workers as there are cores. */
async function runAll({ seed, count }: Share): Promise<Tally> {
  const workers = Math.min(availableParallelism(), count);
  const each = Math.ceil(count / workers);
  const shares = Array.from({ length: workers }, (_, index) => ({
    seed: seed + index * each,
    count: Math.min(each, count - index * each),
  })).filter((share) => share.count > 0);
  const sum = emptyTally();
  const run = async (share: Share): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    const [tally] = (await once(worker, 'message')) as [Tally];
    add(sum, tally);
  };
  await Promise.all(shares.map(run));
  return sum;
}

function figuresOf(tally: Tally) {
  const { histories, steps, tasks, attempts, faults, violations, convergedMaxMs } = tally;
  const injected = Object.values(faults).reduce((total, one) => total + one, 0);
  return {
    ...{ histories, steps, tasks, attempts, injected, faults, violations },
    convergedMedianS: convergedMedianS(tally),
    convergedMaxS: Math.ceil(convergedMaxMs / 1000),
  };
}

function tableOf(
  figures: ReturnType<typeof figuresOf> & { seconds: number; perSecond: number },
): string {
  const { histories, steps, tasks, attempts, injected, faults, violations } = figures;
  const kinds = Object.entries(faults).sort(([, a], [, b]) => b - a);
  return [
    `histories   ${histories} in ${figures.seconds.toFixed(1)} s: ${Math.round(figures.perSecond)} a second`,
    `steps       ${steps}; tasks ${tasks}; commands started ${attempts}`,
    `converged   half of them within ${figures.convergedMedianS} s of virtual time, the last after ${figures.convergedMaxS} s`,
    `faults      ${injected}`,
    ...kinds.map(([kind, count]) => `  ${kind.padEnd(26)}${count}`),
    `violations  ${violations.length}`,
    ...violations.map(({ seed, promise, what }) => `  seed ${seed}: ${promise}: ${what}`),
  ].join('\n');
}

if (isMainThread) process.exitCode = await main();
else parentPort?.postMessage(runCampaign(workerData as Share));
