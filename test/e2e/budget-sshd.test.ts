/**
 * Goal: however few sessions and logins an sshd allows, all tasks succeed and sshd turns nobody away.
 * Method: many tasks on an sshd of the strictest kind (one startup at a time, every penalty enforced at
 * once) with MaxSessions 1 and a daemon killed midway, then as many with 2; counted in sshd's own log.
 * Then an sshd is kept busy by others, until the daemon is let in.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostView } from '../../src/protocol/views.ts';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { sharedSif } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { metrics } from '../support/metrics.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

/** Of scripts/test; 200 were asked for and can be had. */
const TASKS = Number(process.env['TOWLINE_TEST_TASKS'] ?? 30);
const WITH_INPUT_EACH = 10;
/** What sshd of OpenSSH 9.8 and later does by default, but enforced from the first penalty on. */
const PENALTIES = 'PerSourcePenalties crash:90s authfail:5s noauth:5s grace-exceeded:10s min:1s';
const ONE_STARTUP = 'MaxStartups 1:100:1';
const strictLines = (sessions: number) => [`MaxSessions ${sessions}`, ONE_STARTUP, PENALTIES];

let strict: Sshd;
let busy: Sshd;
let daemon: TestDaemon;
let sif = '';

beforeAll(async () => {
  strict = await startSshd({ lines: strictLines(1) });
  // The one who keeps it busy must not earn us all a penalty.
  busy = await startSshd({ lines: [ONE_STARTUP, 'PerSourcePenalties no'] });
  sif = await sharedSif('vm2');
  const section = ({ port }: Sshd) => {
    const keys = { port: String(port), known_hosts: '', max_tasks: '8' };
    return { on: 'vm2' as const, keys };
  };
  daemon = makeDaemon({ hosts: { strict: section(strict), busy: section(busy) } });
  const known = join(daemon.dir, 'known_hosts');
  writeFileSync(known, strict.knownHosts + busy.knownHosts);
  const ini = readFileSync(daemon.configFile, 'utf8');
  const pinned = ini.replaceAll(/^identity_file = /gm, `known_hosts = ${known}\n$&`);
  writeFileSync(daemon.configFile, pinned);
  await daemon.start();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await strict?.stop();
  await busy?.stop();
});

async function submitMany(host: string): Promise<string[]> {
  const input = join(daemon.dir, 'input');
  writeFileSync(input, 'given\n');
  const tasks = Array.from({ length: TASKS }, (_, index) => {
    const task = { host, image: sif, command: ['true'] };
    return index % WITH_INPUT_EACH > 0
      ? task
      : { ...task, inputs: [{ path: input, target: 'in' }] };
  });
  const file = join(daemon.dir, `${host}.ndjson`);
  writeFileSync(file, tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
  return (await daemon.submit('--file', file)).split('\n');
}

const ended = async (): Promise<number> =>
  (await metrics(daemon))['towline_tasks_ended_total{outcome="succeeded"}'] ?? 0;

async function show(host: string): Promise<HostView> {
  const ran = await daemon.cli('host', 'show', host, '--no-probe', '--json');
  return JSON.parse(ran.stdout) as HostView;
}

/** Nobody was turned away, and no more came in than the budgets of so many daemons allow. */
function expectGoodGuest(
  sshd: Sshd,
  { elapsedMs, daemons }: { elapsedMs: number; daemons: number },
) {
  const seen = sshd.logins();
  expect(seen, sshd.log()).toMatchObject({ failed: 0, dropped: 0, penalised: 0, penalties: 0 });
  const { loginBurst, loginRefillMs } = HOST_TUNING;
  const allowed = daemons * loginBurst + elapsedMs / loginRefillMs;
  expect(seen.accepted).toBeGreaterThan(0);
  expect(seen.accepted).toBeLessThanOrEqual(allowed);
  expect(seen.connections).toBe(seen.accepted);
}

async function expectAllSucceed(ids: string[]): Promise<void> {
  const waited = await daemon.cli('wait', ...ids);
  expect(waited.code, waited.stdout).toBe(0);
  expect(waited.stdout.match(/succeeded/g)).toHaveLength(TASKS);
}

test('many tasks with MaxSessions 1 and a new daemon in the middle', async () => {
  const began = performance.now();
  const ids = await submitMany('strict');
  await until(async () => (await ended()) >= TASKS / 2, undefined, 120_000);
  const { channels } = (await show('strict')).budget ?? {};
  await daemon.kill('SIGKILL');
  expectGoodGuest(strict, { elapsedMs: performance.now() - began, daemons: 1 });
  expect(channels?.limit).toBe(1);
  // Once learnt, the limit is not run into again.
  expect(channels?.refused).toBeLessThanOrEqual(2);
  await daemon.start();
  await expectAllSucceed(ids);
  expectGoodGuest(strict, { elapsedMs: performance.now() - began, daemons: 2 });
});

test('as many more with MaxSessions 2', async () => {
  await daemon.kill('SIGKILL');
  await strict.down();
  await strict.up({ lines: strictLines(2) });
  const began = performance.now();
  await daemon.start();
  await expectAllSucceed(await submitMany('strict'));
  expectGoodGuest(strict, { elapsedMs: performance.now() - began, daemons: 1 });
  expect((await show('strict')).budget).toMatchObject({
    channels: { limit: 2 },
    logins: { usedLastHour: strict.logins().accepted, failed: 0, refused: 0 },
  });
});

test('a host that turns logins away is left alone, then used', async () => {
  const holder = await holdStartup(busy.port);
  const id = await daemon.submit('--host', 'busy', sif, '--', 'true');
  await until(async () => (await daemon.show(id)).blocked?.reason === 'SSH_HOST_BUSY');
  const blocked = (await daemon.show(id)).blocked;
  expect(blocked?.message).toContain('Not allowed at this time');
  const { link, budget } = await show('busy');
  const { nextAt, refused } = budget?.logins ?? { refused: 0 };
  // on a busy machine there is time for another knock before we look
  expect(refused).toBeGreaterThanOrEqual(1);
  const waitMs = Date.parse(link.nextTryAt ?? '') - Date.parse(link.since ?? '');
  expect(waitMs).toBeGreaterThanOrEqual(4_900);
  expect(waitMs).toBeLessThanOrEqual(10_000 * 2 ** refused);
  // told twice, each time counted from now
  expect(Math.abs(Date.parse(nextAt ?? '') - Date.parse(link.nextTryAt ?? ''))).toBeLessThan(100);
  // Who asks meanwhile is told, and does not knock.
  await daemon.cli('host', 'show', 'busy');
  const page = (await daemon.cli('host', 'show', 'busy', '--no-probe')).stdout;
  const told =
    /^logins +\d of 6 left, .* next in \d+.*\d in the last hour, 0 failed, (\d) refused$/m.exec(
      page,
    );
  const knocks = Number(told?.[1]);
  expect(busy.logins()).toMatchObject({ dropped: knocks, accepted: 0 });
  const elapsedMs = Date.now() - Date.parse(link.since ?? '');
  expect(knocks).toBeLessThanOrEqual(1 + elapsedMs / 4_900);
  holder.destroy();
  expect((await daemon.cli('wait', id)).code).toBe(0);
});

/** Takes the one startup that sshd allows, as somebody who does not log in. */
async function holdStartup(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
  });
  return socket;
}
