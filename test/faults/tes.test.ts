/**
 * Goal: clients of TES keep their tasks over everything that happens to the daemon and to the network: none is lost, none
 * runs twice, and whoever polls hears the truth or cannot connect. Method: tasks of TES in every state on vm2 behind a
 * proxy; kill -9 of the daemon at random moments and a network that swallows everything; pollers that list and get all the
 * while as engines do; the runtime's own count of starts.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { runtimeStarts } from '../support/crash-task.ts';
import type { TestDaemon } from '../support/daemon.ts';
import { daemonThrough, MANY_LOGINS } from '../support/faults/own-way.ts';
import { PATIENCE } from '../support/patience.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { ENDS, type TesClient, tesClient } from '../support/tes/client.ts';
import { until } from '../support/until.ts';

const TASKS = 10;
const KILLS = 4;
/** Where a kill falls, after the daemon was ready. */
const KILL_WITHIN_MS = 3_000;
/** What a client is told that cannot connect, or whose daemon dies while it answers. */
const NOBODY_THERE = ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'];

let sshd: Sshd;
let proxy: TcpProxy;
let daemon: TestDaemon;
let tes: TesClient;

beforeAll(async () => {
  sshd = await startSshd({ lines: ['PerSourcePenalties no', 'MaxStartups 100'] });
  proxy = await startTcpProxy(sshd.port);
  daemon = daemonThrough({ vm: proxy.port }, { ...MANY_LOGINS, max_tasks: '4' });
  await daemon.start();
  tes = tesClient({ socketPath: daemon.socket });
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await proxy?.stop();
  await sshd?.stop();
});

interface Heard {
  answers: number;
  unreached: number;
  wrong: string[];
  ended: Map<string, string>;
}

/** Lists and gets without a pause longer than a moment until all have ended, and keeps what was not to be heard. */
async function poll(ids: ReadonlySet<string>, heard: Heard): Promise<void> {
  const ask = async (path: string): Promise<unknown> => {
    try {
      const { status, body } = await tes.call('GET', path);
      heard.answers += 1;
      if (status === 200) return body;
      heard.wrong.push(`${path}: ${status} ${JSON.stringify(body)}`);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (NOBODY_THERE.includes(code)) heard.unreached += 1;
      else heard.wrong.push(`${path}: ${String(error)}`);
    }
    return undefined;
  };
  const hear = ({ id, state }: { id: string; state: string }): void => {
    const before = heard.ended.get(id);
    if (before !== undefined && before !== state)
      heard.wrong.push(`${id}: ${before}, then ${state}`);
    if (ENDS.includes(state)) heard.ended.set(id, state);
  };
  await until(
    async () => {
      const list = (await ask('/tasks?tag_key=run&tag_value=faults&page_size=2047')) as
        | { tasks: { id: string; state: string }[] }
        | undefined;
      for (const task of list?.tasks ?? []) hear(task);
      const listed = new Set(list?.tasks.map(({ id }) => id) ?? ids);
      for (const id of ids) {
        if (!listed.has(id)) heard.wrong.push(`${id} is not listed`);
        const task = (await ask(`/tasks/${id}?view=MINIMAL`)) as { id: string; state: string };
        if (task !== undefined) hear(task);
      }
      return heard.ended.size === ids.size;
    },
    () => `all have ended: ${[...heard.ended.keys()]} of ${[...ids]}`,
    300_000,
  );
}

test('kill -9 and a network that is cut cost no task of TES anything', {
  timeout: 420_000 * PATIENCE,
}, async () => {
  const shared = join(daemon.dir, 'given');
  writeFileSync(shared, 'given\n');
  const ids = new Set<string>();
  for (let n = 0; n < TASKS; n += 1) {
    const script = `for i in 1 2 3 4 5 6; do echo "$i"; sleep 0.5; done; cat /data/given >/out/result; echo ${n} >>/out/result`;
    const id = await tes.create({
      tags: { run: 'faults' },
      inputs: [{ url: `file://${shared}`, path: '/data/given' }],
      outputs: [{ url: `file://${daemon.dir}/result${n}`, path: '/out/result' }],
      executors: [{ image: MINI, command: ['sh', '-c', script] }],
      resources: { backend_parameters: { host: 'vm' } },
    });
    ids.add(id);
  }
  expect(ids.size).toBe(TASKS);
  const heard: Heard = { answers: 0, unreached: 0, wrong: [], ended: new Map() };
  const polled = poll(ids, heard);
  const moments: number[] = [];
  for (let n = 0; n < KILLS; n += 1) {
    const at = Math.random() * KILL_WITHIN_MS;
    moments.push(Math.round(at));
    await new Promise((resolve) => setTimeout(resolve, at));
    if (n === 1) proxy.blackHole();
    await daemon.kill('SIGKILL');
    await daemon.start();
    if (n === 2) {
      proxy.heal();
      proxy.cut();
    }
  }
  await polled;
  console.log(
    `killed after ${moments.join(', ')} ms; ${heard.answers} answers, ${heard.unreached} times nobody was there`,
  );
  expect(heard.wrong).toEqual([]);
  expect(heard.unreached).toBeGreaterThan(0);
  expect(Object.fromEntries(heard.ended)).toEqual(
    Object.fromEntries([...ids].map((id) => [id, 'COMPLETE'])),
  );
  for (const id of ids) {
    expect([id, runtimeStarts(`${id}.1`), runtimeStarts(`${id}.2`)]).toEqual([id, 1, 0]);
  }
  for (let n = 0; n < TASKS; n += 1) {
    const file = join(daemon.dir, `result${n}`);
    expect(existsSync(file), file).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(`given\n${n}\n`);
  }
});
