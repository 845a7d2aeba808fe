/**
 * Goal: fifteen hosts that are down are no burden for the five that work, for the daemon, or for
 * whoever is knocked at. Method: a daemon with the five alone beside a daemon with all twenty, the same
 * tasks on each, one after the other; tasks wait for every dead host; knocks are counted where they arrive.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { KEYS, sharedSif } from '../support/bed.ts';
import { type HostOptions, makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type DeadHost, type DeadKind, startDeadHost } from '../support/dead-hosts.ts';
import { metrics } from '../support/metrics.ts';
import { until } from '../support/until.ts';

const KINDS: DeadKind[] = ['closed', 'mute', 'shut'];
const DEAD_OF_EACH = 5;
const TASKS_EACH = 3;
const WATCHED_MS = 5_000;

const live = Object.fromEntries(
  [1, 2, 3, 4, 5].map((n): [string, HostOptions] => [
    `live${n}`,
    { on: n < 3 ? 'vm' : 'vm2', keys: { max_tasks: '2' } },
  ]),
);
let dead: DeadHost[];
let five: TestDaemon;
let twenty: TestDaemon;
let sif = '';
let began = 0;
const seconds: Record<'five' | 'twenty', number> = { five: 0, twenty: 0 };
const idleCpu: Record<'five' | 'twenty', number> = { five: 0, twenty: 0 };

beforeAll(async () => {
  [sif] = await Promise.all([sharedSif('vm'), sharedSif('vm2')]);
  dead = await Promise.all(
    KINDS.flatMap((kind) => Array.from({ length: DEAD_OF_EACH }, () => startDeadHost(kind))),
  );
  five = makeDaemon({ hosts: live });
  twenty = makeDaemon({ hosts: live, more: dead.map(deadSection).join('\n') });
  await five.start();
  began = performance.now();
  await twenty.start();
  const waiting = dead.map((_, index) => ({ host: `dead${index}`, image: sif, command: ['true'] }));
  await submit(twenty, [...waiting, ...waiting]);
  await until(() => dead.every(({ kind, knocks }) => kind === 'closed' || knocks.length > 0));
  // by turns, and the better of each: other tests are not there all the time
  const times = { five: [] as number[], twenty: [] as number[] };
  for (let round = 0; round < 2; round += 1) {
    times.five.push(await timeOfTasks(five));
    times.twenty.push(await timeOfTasks(twenty));
  }
  seconds.five = Math.min(...times.five);
  seconds.twenty = Math.min(...times.twenty);
  [idleCpu.five, idleCpu.twenty] = await Promise.all([cpuShare(five), cpuShare(twenty)]);
});

afterAll(async () => {
  await five?.[Symbol.asyncDispose]();
  await twenty?.[Symbol.asyncDispose]();
  await Promise.all((dead ?? []).map((host) => host[Symbol.asyncDispose]()));
});

function deadSection({ port }: DeadHost, index: number): string {
  return [
    `[host.dead${index}]`,
    `hostname = 127.0.0.1\nport = ${port}\nuser = alice`,
    `identity_file = ${KEYS.plain}\nconnect_timeout = 1s`,
  ].join('\n');
}

async function submit(daemon: TestDaemon, tasks: object[]): Promise<string[]> {
  const file = join(daemon.dir, 'tasks.ndjson');
  writeFileSync(file, tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
  return (await daemon.submit('--file', file)).split('\n');
}

async function timeOfTasks(daemon: TestDaemon): Promise<number> {
  const start = performance.now();
  const task = { image: sif, command: ['true'] };
  const tasks = Object.keys(live).flatMap((host) =>
    Array.from({ length: TASKS_EACH }, () => ({ ...task, host })),
  );
  const waited = await daemon.cli('wait', ...(await submit(daemon, tasks)));
  expect(waited.code, waited.stdout).toBe(0);
  return (performance.now() - start) / 1_000;
}

/** CPU seconds per second, by the daemon's own count. */
async function cpuShare(daemon: TestDaemon): Promise<number> {
  const read = async (): Promise<number> =>
    (await metrics(daemon))['process_cpu_seconds_total'] ?? Number.NaN;
  const before = await read();
  const start = performance.now();
  // Nothing to wait for: what is measured is that nothing happens.
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  return ((await read()) - before) / ((performance.now() - start) / 1_000);
}

test('the five that work are about as fast as alone', () => {
  expect(seconds.twenty).toBeLessThan(1.5 * seconds.five + 1);
});

test('the daemon has hardly more to do', () => {
  expect(idleCpu.twenty - idleCpu.five).toBeLessThan(0.05);
});

test('the daemon says how many are up, and which are down', async () => {
  expect(await metrics(twenty)).toMatchObject({
    'towline_hosts{state="ready"}': 5,
    'towline_hosts{state="unreachable"}': dead.length,
    'towline_host_ready{host="live1"}': 1,
    'towline_host_ready{host="dead0"}': 0,
  });
});

test('each dead host is knocked at within its budget, and not all at the same time', () => {
  const elapsed = performance.now() - began;
  const { loginBurst, loginRefillMs } = HOST_TUNING;
  const heard = dead.filter(({ kind }) => kind !== 'closed');
  for (const { knocks } of heard) {
    expect(knocks.length).toBeGreaterThan(1);
    expect(knocks.length).toBeLessThanOrEqual(loginBurst + elapsed / loginRefillMs);
  }
  // All were asked for at once at the start; from the second try on chance spreads them.
  const later = heard.flatMap(({ knocks }) => knocks.slice(2)).toSorted((a, b) => a - b);
  const together = later.map(
    (at) => later.filter((other) => other >= at && other < at + 20).length,
  );
  expect(Math.max(...together)).toBeLessThanOrEqual(DEAD_OF_EACH);
});

test('the log tells each outage, not each try', () => {
  const lines = twenty
    .log()
    .split('\n')
    .filter((line) => line.includes('"link is unreachable"'));
  expect(lines.length).toBeGreaterThanOrEqual(dead.length);
  // A host that shuts the door is told twice: lost first, then busy.
  expect(lines.length).toBeLessThanOrEqual(dead.length + DEAD_OF_EACH);
});
