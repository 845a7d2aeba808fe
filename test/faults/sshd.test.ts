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
import { sessionPids, signalSessions } from '../support/faults/sessions.ts';
import { type SlowLink, startSlowLink } from '../support/faults/slow-link.ts';
import { submitWhole } from '../support/faults/whole-task.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

/** Without what sshd counts against an address: the tests cut it off on purpose, and often. */
const PATIENT = ['PerSourcePenalties no', 'MaxStartups 100'];
/** Stretches each state to a few round trips. */
const FAR = { delayMs: 60 };

interface Bench extends AsyncDisposable {
  sshd: Sshd;
  link: SlowLink;
  daemon: TestDaemon;
}

async function bench(lines: string[], keys: Record<string, string> = MANY_LOGINS): Promise<Bench> {
  const sshd = await startSshd({ lines });
  const link = await startSlowLink(sshd.port, FAR);
  const daemon = daemonThrough({ vm: link.port }, keys);
  await daemon.start();
  const dispose = async (): Promise<void> => {
    await daemon[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await sshd.stop();
  };
  return { sshd, link, daemon, [Symbol.asyncDispose]: dispose };
}

async function reached(daemon: TestDaemon, id: string, state: string): Promise<void> {
  const isThere = (): boolean => stored(daemon, id)?.kind === state;
  await until(isThere, () => `${id} is ${state}: ${JSON.stringify(stored(daemon, id))}`, 60_000);
}

test.concurrent('row 9: the sessions of a task are killed while it is staging, pulling, launching, running and collecting', async () => {
  await using way = await bench(PATIENT);
  const { daemon, sshd } = way;
  const task = await submitWhole(daemon, {
    ...{ inputBytes: 2_000_000, outputBytes: 2_000_000, lines: 8, pause: 0.5 },
  });
  const hit: string[] = [];
  for (const state of ['staging', 'pulling', 'launching', 'running', 'collecting']) {
    await reached(daemon, task.id, state);
    await until(async () => (await sessionPids(sshd.port)).length > 0);
    const pids = await sessionPids(sshd.port);
    hit.push(stored(daemon, task.id)?.kind ?? '');
    await signalSessions(pids, 'KILL');
  }
  expect(hit).toEqual(['staging', 'pulling', 'launching', 'running', 'collecting']);
  await task.expectWhole();
  expect(sshd.logins().accepted).toBeGreaterThan(5);
});

test.concurrent('row 9: sshd is down for a while and comes back on the same port, with tasks on their way', async () => {
  await using way = await bench(PATIENT, {});
  const { daemon, sshd } = way;
  const running = await submitWhole(daemon, { lines: 6, pause: 1 });
  await reached(daemon, running.id, 'running');
  const tasks = [running];
  for (let i = 0; i < 3; i += 1) tasks.push(await submitWhole(daemon, { inputBytes: 500_000 }));
  await sshd.stop();
  tasks.push(await submitWhole(daemon));
  await until(async () => (await daemon.show(running.id)).blocked !== undefined);
  await using again = await startSshd({ lines: PATIENT, port: sshd.port });
  await Promise.all(tasks.map((task) => task.expectWhole()));
  expect(again.logins()).toMatchObject({ failed: 0, dropped: 0 });
  expect(again.logins().accepted).toBeLessThanOrEqual(6);
});

test.concurrent.for([
  ['staging', 'an upload'],
  ['launching', 'a launch'],
  ['succeeded', 'the cleaning'],
])(
  'row 10: sessions are stopped while a task is %s; %s lands late, after the daemon did it again, and harms nothing',
  async ([state = '']) => {
    await using way = await bench(PATIENT);
    const { daemon, sshd } = way;
    const task = await submitWhole(daemon, { inputBytes: 1_000_000, lines: 2 });
    await reached(daemon, task.id, state);
    const before = await sessionPids(sshd.port);
    await signalSessions(before, 'STOP');
    expect(before.length).toBeGreaterThan(0);
    const { accepted } = sshd.logins();
    await until(() => sshd.logins().accepted > accepted, undefined, 60_000);
    // done again over new sessions, whatever the old ones still hold
    await until(() => stored(daemon, task.id)?.cleanup === 'done', undefined, 60_000);
    await signalSessions(before, 'CONT');
    await until(async () => {
      const left = await sessionPids(sshd.port);
      return before.every((pid) => !left.includes(pid));
    });
    await task.expectWhole();
    // the next one uses what was staged: a late write must not have damaged it
    await (await submitWhole(daemon)).expectWhole();
  },
);

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
