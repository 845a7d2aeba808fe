/**
 * Goal: whatever happens to sshd and to its sessions (restarted, killed, stopped and continued late, few sessions allowed,
 * idle ones closed), tasks reconnect, do again what is safe to do again, and none fails.
 * Method: an sshd of the test's own in vm2, whose processes are found below its listener; the way to it is made far
 * where a state has to last long enough to be hit.
 */
import { expect, test } from 'vitest';
import { stored } from '../support/crash-task.ts';
import type { TestDaemon } from '../support/daemon.ts';
import { daemonThrough, MANY_LOGINS } from '../support/faults/own-way.ts';
import { type Sessions, sessionsOf } from '../support/faults/sessions.ts';
import { startSlowLink } from '../support/faults/slow-link.ts';
import { submitWhole } from '../support/faults/whole-task.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

/** Without what sshd counts against an address: the tests cut it off on purpose, and often. */
const PATIENT = ['PerSourcePenalties no', 'MaxStartups 100'];
/** Stretches each state to a few round trips. */
const FAR = { delayMs: 150 };

interface Bench extends AsyncDisposable {
  sshd: Sshd;
  sessions: Sessions;
  daemon: TestDaemon;
}

interface BenchOptions {
  keys?: Record<string, string>;
  /** States at whose first act the daemon pauses until underWay() has been there. */
  pauses?: readonly Paused[];
}

async function bench(lines: string[], options: BenchOptions = {}): Promise<Bench> {
  const { keys = MANY_LOGINS, pauses = [] } = options;
  const sshd = await startSshd({ lines });
  const link = await startSlowLink(sshd.port, FAR);
  const sessions = sessionsOf(sshd.port);
  const daemon = daemonThrough({ vm: link.port }, keys);
  await daemon.start({ TOWLINE_FAULT: pauses.map((state) => `${POINTS[state]}:pause`).join(',') });
  const dispose = async (): Promise<void> => {
    await daemon[Symbol.asyncDispose]();
    await sessions[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await sshd.stop();
  };
  return { sshd, sessions, daemon, [Symbol.asyncDispose]: dispose };
}

/** The step begins with an act over the link: what was done to the sessions meets it. */
const POINTS = { pulling: 'pull.before', launching: 'launch.before', succeeded: 'clean.before' };
type Paused = keyof typeof POINTS;

/** In a state, about to act (a paused one) or where that means to send files, with the connection for them. */
async function underWay({ daemon, sshd }: Bench, id: string, state: string): Promise<void> {
  await reached(daemon, id, state);
  if (state === 'staging') await until(() => sshd.logins().accepted >= 2);
  const point = POINTS[state as Paused];
  if (point !== undefined)
    await until(() => daemon.log().includes(`fault point ${point} reached (pause)`), daemon.log);
}

/** Lets a daemon go on that pauses in this state. */
function goOn({ daemon }: Bench, state: string): void {
  if (state in POINTS) process.kill(daemon.pid(), 'SIGUSR2');
}

async function reached(daemon: TestDaemon, id: string, state: string): Promise<void> {
  const isThere = (): boolean => stored(daemon, id)?.kind === state;
  await until(isThere, () => `${id} is ${state}: ${JSON.stringify(stored(daemon, id))}`, 60_000);
}

test.concurrent('row 9: the sessions of a task are killed while it is staging, pulling, launching, running and collecting', async () => {
  await using way = await bench(PATIENT, { pauses: ['pulling', 'launching'] });
  const { daemon, sshd, sessions } = way;
  const task = await submitWhole(daemon, {
    ...{ inputBytes: 2_000_000, outputBytes: 2_000_000, lines: 8, pause: 0.5 },
  });
  const hit: string[] = [];
  for (const state of ['staging', 'pulling', 'launching', 'running', 'collecting']) {
    await underWay(way, task.id, state);
    // the step before may have ended just as its sessions did: then new ones are on their way
    await until(async () => (await sessions.signal('KILL')).length > 0);
    hit.push(stored(daemon, task.id)?.kind ?? '');
    goOn(way, state);
  }
  expect(hit).toEqual(['staging', 'pulling', 'launching', 'running', 'collecting']);
  await task.expectWhole();
  expect(sshd.logins().accepted).toBeGreaterThan(5);
});

test.concurrent('row 9: sshd is down for a while and comes back on the same port, with tasks on their way', async () => {
  await using way = await bench(PATIENT, { keys: {} });
  const { daemon, sshd } = way;
  const running = await submitWhole(daemon, { lines: 6, pause: 1 });
  await reached(daemon, running.id, 'running');
  const tasks = [running];
  for (let i = 0; i < 3; i += 1) tasks.push(await submitWhole(daemon, { inputBytes: 500_000 }));
  await sshd.down();
  tasks.push(await submitWhole(daemon));
  await until(async () => (await daemon.show(running.id)).blocked !== undefined);
  await sshd.up();
  const upSince = Date.now();
  await Promise.all(tasks.map((task) => task.expectWhole()));
  expect(sshd.logins()).toMatchObject({ failed: 0, dropped: 0 });
  // six at most, and where all takes minutes, a link now and then that was closed for want of use
  const minutes = Math.floor((Date.now() - upSince) / 60_000);
  expect(sshd.logins().accepted).toBeLessThanOrEqual(6 + minutes);
});

test.concurrent('row 10: sessions are stopped in an upload, a launch and the cleaning, and continued once it was done again: what lands late harms nothing', async () => {
  await using way = await bench(PATIENT, { pauses: ['launching', 'succeeded'] });
  const { daemon, sshd, sessions } = way;
  const task = await submitWhole(daemon, { inputBytes: 1_000_000 });
  const kind = (): string => stored(daemon, task.id)?.kind ?? '';
  const steps: [state: string, done: () => boolean][] = [
    ['staging', () => kind() !== 'staging'],
    ['launching', () => kind() !== 'launching'],
    ['succeeded', () => stored(daemon, task.id)?.cleanup === 'done'],
  ];
  for (const [state, done] of steps) {
    await underWay(way, task.id, state);
    let before: number[] = [];
    await until(async () => (before = await sessions.signal('STOP')).length > 0);
    expect(kind()).toBe(state);
    goOn(way, state);
    const { accepted } = sshd.logins();
    const again = (): boolean => sshd.logins().accepted > accepted && done();
    await until(again, () => `${state} is done again over new sessions`, 60_000);
    await sessions.signal('CONT', before);
    await until(
      async () => {
        const left = await sessions.pids();
        return before.every((pid) => !left.includes(pid));
      },
      () => `the stopped sessions of ${state} end`,
      60_000,
    );
  }
  await task.expectWhole();
  // the next one uses what was staged: a late write must not have damaged it
  await (await submitWhole(daemon, { input: task.input })).expectWhole();
});

test.concurrent('row 11: two sessions, idle ones closed after seconds, little time for a login', async () => {
  await using way = await bench([
    ...['MaxSessions 2', 'UnusedConnectionTimeout 5s', 'LoginGraceTime 5'],
    ...['ChannelTimeout session=4s'],
  ]);
  const { daemon, sshd } = way;
  const tasks = [
    await submitWhole(daemon, { lines: 10, pause: 1 }),
    await submitWhole(daemon, { inputBytes: 500_000 }),
    await submitWhole(daemon, { outputBytes: 500_000 }),
  ];
  await Promise.all(tasks.map((task) => task.expectWhole()));
  expect(sshd.logins()).toMatchObject({ failed: 0, dropped: 0 });
});
