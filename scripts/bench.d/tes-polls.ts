/**
 * Thousands of TES tasks, polled as engines poll them: whole lists by a tag, and each client its own task. The tasks run
 * meanwhile, by a runtime that adds nothing.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { installBareRuntime } from './bare-runtime.ts';
import { type Measure, spread } from './measure.ts';
import type { Size, Sized } from './size.ts';

const WHAT: Sized<{ tasks: number; polledMs: number }> = {
  whole: { tasks: 5_000, polledMs: 60_000 },
  short: { tasks: 40, polledMs: 2_500 },
};
const CREATORS = 8;
const CLIENTS = 100;
const PAGE = 2_047;
const LIST_EVERY_MS = 1_000;
const GET_EVERY_MS = 2_000;
const AIM = 'p99 under 100 ms';

interface Polls {
  pages: number[];
  gets: number[];
}

export async function measureTesPolls(size: Size): Promise<Measure> {
  const { tasks, polledMs } = WHAT[size];
  await using runtime = await installBareRuntime();
  await using daemon = makeDaemon({ vm: { max_tasks: '8', runtime: runtime.path } });
  await daemon.start();
  using ask = asker(daemon);
  const began = performance.now();
  const ids = await createAll(ask, runtime.image, tasks);
  const seconds = (performance.now() - began) / 1_000;
  const polls = await pollAll(ask, ids, polledMs);
  const ended = await countOf(ask, 'COMPLETE');
  return {
    name: 'tes-polls',
    what: `${tasks} tasks of TES, then ${polledMs / 1_000} s of polling: the list by a tag in pages of ${PAGE} each second, and ${CLIENTS} clients that each get a task every ${GET_EVERY_MS / 1_000} s.`,
    rows: [
      { figure: 'tasks created a second', value: (tasks / seconds).toFixed(0) },
      { figure: `a page of ${PAGE}`, value: spread(polls.pages), aim: AIM },
      { figure: 'one task', value: spread(polls.gets), aim: AIM },
      { figure: 'tasks that ended meanwhile', value: String(ended) },
    ],
  };
}

interface Asker extends Disposable {
  <T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** Rejects on any answer but 200. */
function asker({ socket }: TestDaemon): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + CREATORS });
  const ask = <T>(method: string, path: string, body?: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const options = { socketPath: socket, method, path: `/ga4gh/tes/v1${path}`, headers, agent };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return Object.assign(ask, { [Symbol.dispose]: () => agent.destroy() });
}

async function createAll(ask: Asker, image: string, tasks: number): Promise<string[]> {
  const ids: string[] = [];
  const task = {
    tags: { run: 'polls' },
    executors: [{ image, command: ['sleep', '1'] }],
    resources: { backend_parameters: { host: 'vm' } },
  };
  const create = async (): Promise<void> => {
    for (let n = 0; n < tasks / CREATORS; n += 1)
      ids.push((await ask<{ id: string }>('POST', '/tasks', task)).id);
  };
  await Promise.all(Array.from({ length: CREATORS }, create));
  return ids;
}

async function pollAll(ask: Asker, ids: readonly string[], forMs: number): Promise<Polls> {
  const polls: Polls = { pages: [], gets: [] };
  const until = performance.now() + forMs;
  const lists = async (): Promise<void> => {
    while (performance.now() < until) {
      const began = performance.now();
      const seen = await wholeList(ask, (ms) => polls.pages.push(ms));
      if (seen !== ids.length) throw new Error(`the list has ${seen} tasks of ${ids.length}`);
      await sleep(Math.max(0, LIST_EVERY_MS - (performance.now() - began)));
    }
  };
  const client = async (index: number): Promise<void> => {
    // not all at the same moment
    await sleep((index * GET_EVERY_MS) / CLIENTS);
    for (let n = index; performance.now() < until; n += CLIENTS) {
      const began = performance.now();
      await ask('GET', `/tasks/${ids[n % ids.length]}?view=MINIMAL`);
      polls.gets.push(performance.now() - began);
      await sleep(Math.max(0, GET_EVERY_MS - (performance.now() - began)));
    }
  };
  await Promise.all([lists(), ...Array.from({ length: CLIENTS }, (_, index) => client(index))]);
  return polls;
}

/** Gives how many tasks are in all of its pages. */
async function wholeList(ask: Asker, onPage: (ms: number) => void): Promise<number> {
  let seen = 0;
  let token = '';
  do {
    const began = performance.now();
    const query = `tag_key=run&tag_value=polls&page_size=${PAGE}&page_token=${encodeURIComponent(token)}`;
    const page = await ask<{ tasks: unknown[]; next_page_token?: string }>(
      'GET',
      `/tasks?${query}`,
    );
    onPage(performance.now() - began);
    seen += page.tasks.length;
    token = page.next_page_token ?? '';
  } while (token !== '');
  return seen;
}

async function countOf(ask: Asker, state: string): Promise<number> {
  const page = await ask<{ tasks: unknown[] }>('GET', `/tasks?state=${state}&page_size=${PAGE}`);
  return page.tasks.length;
}
