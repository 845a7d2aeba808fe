/** A daemon with so many model hosts and ten tasks on each: what it weighs, and how late its event loop gets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '../../src/client/client.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { memoryNow } from '../../test/support/memory.ts';
import { metrics } from '../../test/support/metrics.ts';
import {
  MODEL_IMAGE,
  type ModelHosts,
  startModelHosts,
} from '../../test/support/model-hosts/start.ts';
import { until } from '../../test/support/until.ts';
import type { Sized } from './size.ts';

export interface Load {
  hosts: number;
  /** From the first submission until all tasks run. */
  startedMs: number;
  /** From the moment in which they have ended on their hosts until the last has succeeded. */
  endedMs: number;
  /** Once all of them had run for a while. */
  residentBytes: number;
  /** The longest while they were started, while nothing happened, while they ended. */
  loopDelayMs: { starting: number; quiet: number; ending: number };
  /** Share of a core of the daemon while nothing happened. */
  quietCpu: number;
  logins: number;
}

export const TASKS_EACH = 10;
/** Looks are rare after the first. Whether the tasks are ended, too, and that is waited for. */
export const WATCHED: Sized<{ settledMs: number; quietMs: number; ends: boolean }> = {
  whole: { settledMs: 10_000, quietMs: 20_000, ends: true },
  short: { settledMs: 0, quietMs: 500, ends: true },
};
const LIMIT_MS = 300_000;
const AT_ONCE = 1_000;

export async function loadModels(hosts: number, watched = WATCHED.whole): Promise<Load> {
  await using models = await startModelHosts(hosts, { max_tasks: String(TASKS_EACH) });
  await using daemon = makeDaemon({ more: models.config, daemon: { log_level: 'info' } });
  await daemon.start();
  using client = closing(createClient({ socketPath: daemon.socket }));
  const all = hosts * TASKS_EACH;
  const numbers = lookAt(daemon);
  await numbers.look();
  numbers.takeDelay();
  const began = performance.now();
  await submitAll(client.client, models);
  const run = async (): Promise<boolean> =>
    (await models.count()).running === all && (await numbers.look())[RUNNING] === all;
  await until(run, () => `${all} tasks run`, LIMIT_MS);
  const startedMs = performance.now() - began;
  const starting = numbers.takeDelay();
  await sleep(watched.settledMs);
  const quietCpu = await cpuOf(numbers, watched.quietMs);
  const quiet = numbers.takeDelay();
  const residentBytes = memoryNow(daemon.pid());
  const endedMs = watched.ends ? await endAll(models, numbers, all) : 0;
  const loopDelayMs = { starting, quiet, ending: numbers.takeDelay() };
  const { logins } = await models.count();
  return { hosts, startedMs, endedMs, residentBytes, loopDelayMs, quietCpu, logins };
}

const RUNNING = 'towline_tasks{state="running"}';
const SUCCEEDED = 'towline_tasks_ended_total{outcome="succeeded"}';

interface Numbers {
  look(): Promise<Record<string, number>>;
  /** The longest of all looks since the last time. */
  takeDelay(): number;
}

/** The daemon tells the longest delay since it was asked last: none may be missed. */
function lookAt(daemon: TestDaemon): Numbers {
  let longest = 0;
  return {
    async look() {
      const numbers = await metrics(daemon);
      const delay = numbers['towline_event_loop_delay_max_seconds'] ?? Number.NaN;
      longest = Math.max(longest, delay * 1_000);
      return numbers;
    },
    takeDelay() {
      const taken = longest;
      longest = 0;
      return taken;
    },
  };
}

async function endAll(models: ModelHosts, numbers: Numbers, all: number): Promise<number> {
  const began = performance.now();
  await models.endAll();
  const done = async (): Promise<boolean> => (await numbers.look())[SUCCEEDED] === all;
  await until(done, () => `${all} tasks succeeded`, LIMIT_MS);
  return performance.now() - began;
}

/** Share of a core. The first look ends what was before, the last one tells of the time between. */
async function cpuOf(numbers: Numbers, quietMs: number): Promise<number> {
  const cpu = async (): Promise<number> =>
    (await numbers.look())['process_cpu_seconds_total'] ?? Number.NaN;
  const before = await cpu();
  numbers.takeDelay();
  const began = performance.now();
  await sleep(quietMs);
  return ((await cpu()) - before) / ((performance.now() - began) / 1_000);
}

function closing(client: Client): Disposable & { client: Client } {
  return { client, [Symbol.dispose]: () => client.close() };
}

async function submitAll(client: Client, { names }: ModelHosts): Promise<void> {
  const tasks = Array.from({ length: names.length * TASKS_EACH }, (_, n) => ({
    ...{ host: names[n % names.length], image: MODEL_IMAGE, command: ['compute', String(n)] },
  }));
  for (let done = 0; done < tasks.length; done += AT_ONCE)
    await client.submit(tasks.slice(done, done + AT_ONCE));
}
