/**
 * Goal: a network that is away for an hour costs no task: none fails, no byte is lost, what waits says so, and
 * afterwards no host meets a storm of logins. Method: a daemon whose time runs faster by a factor (fast-time.ts), so that an
 * hour is minutes; hosts that are away in three ways, each with running, staging and queued tasks; logins counted
 * in the log of each sshd. By default two minutes of the hour: scripts/faults hour does all of it.
 */

import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { stored } from '../support/crash-task.ts';
import { finished, type HostJson, type TestDaemon } from '../support/daemon.ts';
import { hurryChildren } from '../support/faults/fast-process.ts';
import { daemonThrough } from '../support/faults/own-way.ts';
import { submitWhole, type WholeTask } from '../support/faults/whole-task.ts';
import { metrics } from '../support/metrics.ts';
import { PATIENCE } from '../support/patience.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const { env } = process;
/** A deadline of seconds must stay longer than what it waits for takes on a busy machine. */
const FACTOR = Number(env['TOWLINE_TEST_TIME_FACTOR'] ?? 6);
const AWAY_MINUTES = Number(env['TOWLINE_TEST_AWAY_MINUTES'] ?? 2);
const AWAY_REAL_MS = (AWAY_MINUTES * 60_000) / FACTOR;
const MAX_TASKS = 4;
/** More than may be on a host at a time: some are queued. */
const TASKS_EACH = 6;
/** Nobody's time runs faster in there: what sshd counts per second would count several times as much. */
const PATIENT = ['PerSourcePenalties no', 'MaxStartups 100'];

/** How the network is away: nothing comes back; it hangs up at once; the host hears us and we do not hear it. */
const WAYS = {
  silent: (proxy: TcpProxy) => proxy.blackHole(),
  shut: (proxy: TcpProxy) => {
    proxy.retarget(1);
    proxy.cut();
  },
  deaf: (proxy: TcpProxy) => proxy.lose('replies'),
} as const;
type Way = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as Way[];

const sshds = {} as Record<Way, Sshd>;
const proxies = {} as Record<Way, TcpProxy>;
let daemon: TestDaemon;

beforeAll(async () => {
  hurryChildren(FACTOR);
  for (const name of NAMES) {
    sshds[name] = await startSshd({ lines: PATIENT });
    proxies[name] = await startTcpProxy(sshds[name].port);
  }
  const ports = Object.fromEntries(NAMES.map((name) => [name, proxies[name].port]));
  daemon = daemonThrough(ports, { max_tasks: String(MAX_TASKS) });
  await daemon.start();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  for (const name of NAMES) {
    await proxies[name]?.stop();
    await sshds[name]?.stop();
  }
});

const show = (name: Way): Promise<HostJson> => daemon.showHost(name);

/** One that ends while nobody sees it, one that is still running afterwards. */
async function submitRunning(host: Way): Promise<WholeTask[]> {
  const away = Math.ceil(AWAY_REAL_MS / 1_000);
  // not much shorter: the first must not have ended before the second is seen to run
  const tasks = await Promise.all(
    [away / 2, away + 8].map((lines) => submitWhole(daemon, { host, lines, pause: 1 })),
  );
  for (const { id } of tasks) await until(() => stored(daemon, id)?.kind === 'running');
  return tasks;
}

/** What is submitted while the host is away: some are placed and wait for it, the others are queued. */
async function submitMore(host: Way): Promise<WholeTask[]> {
  const tasks: WholeTask[] = [];
  while (tasks.length < TASKS_EACH - 2)
    tasks.push(await submitWhole(daemon, { host, outputBytes: 100_000 }));
  return tasks;
}

type PerHost<T> = Record<Way, T>;

async function perHost<T>(act: (name: Way) => T | Promise<T>): Promise<PerHost<T>> {
  const all = await Promise.all(NAMES.map(async (name) => [name, await act(name)] as const));
  return Object.fromEntries(all) as PerHost<T>;
}

/** When an sshd was asked for a connection, in the daemon's milliseconds, until stopped. */
function noteLogins(sshd: Sshd): () => number[] {
  const at: number[] = [];
  const known = sshd.logins().connections;
  const note = (): void => {
    const { connections } = sshd.logins();
    while (at.length < connections - known) at.push(performance.now() * FACTOR);
  };
  const timer = setInterval(note, 50);
  return () => {
    clearInterval(timer);
    note();
    return at;
  };
}

/** The most in any time of that length. */
const peak = (times: number[], ms: number): number =>
  Math.max(0, ...times.map((at) => times.filter((b) => b >= at && b < at + ms).length));

/** No more than the budget of one host, and never many at once. */
function expectNoStorm(times: number[], lastedMs: number): void {
  const { loginBurst, loginRefillMs } = HOST_TUNING;
  expect(times.length).toBeLessThanOrEqual(loginBurst + lastedMs / loginRefillMs);
  expect(peak(times, loginRefillMs)).toBeLessThanOrEqual(loginBurst);
}

/** Each task that has a host says what it waits for and since when, and the host when it is tried next. */
async function expectTold(tasks: WholeTask[], host: Way): Promise<string[]> {
  const waiting = tasks.slice(0, MAX_TASKS);
  await until(() => waiting.every(({ id }) => stored(daemon, id)?.blocked !== undefined));
  // the first try after a silent loss takes its time
  await until(async () => (await show(host)).link.kind === 'unreachable');
  const { link } = await show(host);
  expect(link).toMatchObject({ kind: 'unreachable', code: expect.stringMatching(/^SSH_/) });
  expect(Date.parse(link.nextTryAt ?? '')).toBeGreaterThan(Date.parse(link.since ?? ''));
  const states: string[] = [];
  for (const { id } of tasks) {
    const { state, blocked } = await daemon.show(id);
    states.push(state);
    if (state === 'queued') continue;
    expect(blocked, state).toMatchObject({ host, reason: expect.stringMatching(/^SSH_/) });
  }
  expect(states.filter((state) => state === 'queued')).toHaveLength(TASKS_EACH - MAX_TASKS);
  return states;
}

async function changes(): Promise<number> {
  return (await metrics(daemon))['towline_store_changes_total'] ?? Number.NaN;
}

/** Takes the network away for the time, and gives what was seen meanwhile. */
async function away(tasks: PerHost<WholeTask[]>): Promise<object> {
  const began = performance.now();
  const elapsed = (): number => performance.now() - began;
  const notes = await perHost((name) => noteLogins(sshds[name]));
  const usedBefore = await perHost(async (name) => (await show(name)).budget.logins.usedLastHour);
  for (const name of NAMES) WAYS[name](proxies[name]);
  await perHost(async (name) => void tasks[name].push(...(await submitMore(name))));
  const states = await perHost((name) => expectTold(tasks[name], name));
  const before = await changes();
  await until(() => elapsed() >= AWAY_REAL_MS, undefined, 2 * AWAY_REAL_MS);
  const pages = await perHost(
    async (name) => (await daemon.cli('host', 'show', name, '--no-probe')).stdout,
  );
  const logins = await perHost(async (name) => (await show(name)).budget.logins);
  const lastedMs = elapsed() * FACTOR;
  const knocks = await perHost((name) => notes[name]());
  for (const name of NAMES) {
    expectNoStorm(knocks[name], lastedMs);
    // a try that nobody answers takes its time, then comes a pause of at least half the longest one
    const { loginBurst, connectTimeoutMs, reconnectMaxMs } = HOST_TUNING;
    const most = loginBurst + lastedMs / (connectTimeoutMs + reconnectMaxMs / 2);
    expect(logins[name].usedLastHour - usedBefore[name]).toBeLessThanOrEqual(most);
  }
  // what waits is noted once, not at each try
  const changesWhileAway = (await changes()) - before;
  expect(changesWhileAway).toBeLessThan(NAMES.length * TASKS_EACH);
  const reachedSshd = await perHost((name) => knocks[name].length);
  const minutes = Math.round(lastedMs / 6_000) / 10;
  const list = (await daemon.cli('list')).stdout;
  return { minutes, states, logins, reachedSshd, changesWhileAway, pages, list };
}

/** Lets the network come back, waits for all tasks, and gives what the hosts saw. */
async function back(tasks: PerHost<WholeTask[]>): Promise<object> {
  const notes = await perHost((name) => noteLogins(sshds[name]));
  const healedAt = performance.now();
  const elapsed = (): number => (performance.now() - healedAt) * FACTOR;
  for (const name of NAMES) {
    proxies[name].retarget(sshds[name].port);
    proxies[name].heal();
  }
  const secondsUntilReady = await perHost(async (name) => {
    const ready = async (): Promise<boolean> => (await show(name)).link.kind === 'ready';
    await until(ready, () => `${name} is ready`, 120_000);
    return Math.round(elapsed() / 1_000);
  });
  await perHost((name) => Promise.all(tasks[name].map((task) => task.expectWhole())));
  const lastedMs = elapsed();
  const logins = await perHost((name) => notes[name]());
  for (const name of NAMES) expectNoStorm(logins[name], lastedMs);
  const counted = await perHost((name) => logins[name].length);
  const peakIn10s = await perHost((name) => peak(logins[name], 10_000));
  return {
    secondsUntilReady,
    secondsUntilAllEnded: Math.round(lastedMs / 1_000),
    logins: counted,
    peakIn10s,
  };
}

test('the network is away for long: no task fails, no byte is lost, no storm of logins', {
  timeout: (240_000 + 4 * AWAY_REAL_MS) * PATIENCE,
}, async () => {
  const tasks = await perHost(submitRunning);
  const id = tasks.silent.at(-1)?.id ?? '';
  const followed = finished(daemon.spawnCli(['logs', '--follow', '--stdout', id]));
  const seen = { factor: FACTOR, away: await away(tasks), back: await back(tasks) };
  expect((await followed).stdout).toBe((await daemon.cli('logs', '--stdout', id)).stdout);
  const file = env['TOWLINE_TEST_FIGURES'];
  if (file !== undefined) writeFileSync(file, JSON.stringify(seen, null, 2));
});
