/** How much a queue of a hundred thousand tasks weighs, how fast it fills, and how soon a page of it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '../../src/client/client.ts';
import { makeDaemon } from '../../test/support/daemon.ts';
import { memoryNow } from '../../test/support/memory.ts';
import { type Measure, spread } from './measure.ts';
import type { Size, Sized } from './size.ts';

const TASKS: Sized<number> = { whole: 100_000, short: 1_000 };
const BATCH = 1_000;
const PAGES = 200;
const PAGE = 100;
/** The daemon looks every five seconds whether there is much to give back and nothing to do. */
const SETTLED_MS = 12_000;
/** Fewer leave too little. */
const GARBAGE_FROM = 10_000;
const MIB = 1024 * 1024;

export async function measureQueuedTasks(size: Size): Promise<Measure> {
  const tasks = TASKS[size];
  const { seconds, empty, full, settled, pages } = await queueUp(tasks);
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;
  return {
    name: 'queued-tasks',
    what: `${tasks} tasks in the queue of a host that is paused, submitted ${BATCH} at a time by one client.`,
    rows: [
      {
        figure: 'tasks submitted a second',
        value: (tasks / seconds).toFixed(0),
        aim: 'at least 2,000',
      },
      {
        figure: `resident ${SETTLED_MS / 1_000} s later`,
        value: `${mib(settled)} (empty: ${mib(empty)})`,
        aim: 'under 300 MB',
      },
      { figure: 'resident in the moment of the last', value: mib(full) },
      { figure: 'a page of 100', value: spread(pages), aim: 'under 20 ms' },
    ],
  };
}

export interface Queue {
  /** What it took to submit them. */
  seconds: number;
  /** Resident before, after the last of them, and when the daemon has given back what it held for garbage, in bytes. */
  empty: number;
  full: number;
  settled: number;
  /** Milliseconds of each page that was read. */
  pages: number[];
}

/** So many tasks in the queue of a daemon of their own. */
export async function queueUp(count: number): Promise<Queue> {
  await using daemon = makeDaemon({ daemon: { queue_limit: String(2 * count) } });
  await daemon.start();
  await daemon.cli('host', 'pause', 'vm');
  const client = createClient({ socketPath: daemon.socket });
  try {
    const empty = memoryNow(daemon.pid());
    const seconds = await fill(client, count);
    const full = memoryNow(daemon.pid());
    if (count >= GARBAGE_FROM) await sleep(SETTLED_MS);
    const settled = memoryNow(daemon.pid());
    return { seconds, empty, full, settled, pages: await readPages(client, Math.min(PAGE, count)) };
  } finally {
    client.close();
  }
}

async function fill(client: Client, count: number): Promise<number> {
  const tasks = Array.from({ length: Math.min(BATCH, count) }, (_, index) => ({
    host: 'vm',
    image: 'debian:12',
    command: ['compute', '--part', String(index)],
  }));
  const began = performance.now();
  for (let done = 0; done < count; done += tasks.length) await client.submit(tasks);
  return (performance.now() - began) / 1_000;
}

/** One after the other from the newest on, and after the last from there again. */
async function readPages(client: Client, size: number): Promise<number[]> {
  const took: number[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const began = performance.now();
    const answer = await client.list({ limit: PAGE, cursor });
    took.push(performance.now() - began);
    cursor = answer.cursor;
    if (answer.tasks.length !== size) throw new Error(`a page has ${answer.tasks.length} tasks`);
  }
  return took;
}
