/**
 * Goal: clocks that are wrong, or set while tasks run, end nothing early, make nothing wait, and tell no negative times.
 * Method: the daemon's clock is a file of the test's (wrong-clock.ts); what runs on the host finds a wrong `date`.
 */
import { expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { runtimeStarts } from '../support/crash-task.ts';
import type { TestDaemon } from '../support/daemon.ts';
import { daemonThrough, MANY_LOGINS } from '../support/faults/own-way.ts';
import { submitWaiting, WAITING_OUTPUT } from '../support/faults/waiting-task.ts';
import { hostClock, localClock } from '../support/faults/wrong-clock.ts';
import { shareOf } from '../support/share.ts';
import { startSshd } from '../support/sshd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const YEAR = 365 * 86_400_000;

interface Told {
  seq: number;
  kind: string;
  task?: string;
}

/** A task that ended as it should, whatever the clocks said. */
async function expectInOrder(daemon: TestDaemon, id: string): Promise<void> {
  const ran = await daemon.cli('show', '--json', id);
  const { startedAt, finishedAt } = JSON.parse(ran.stdout) as Record<string, string>;
  expect(Date.parse(finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
  const events = (await daemon.cli('events', '--json', '--task', id)).stdout.trimEnd().split('\n');
  const told = events.map((line) => JSON.parse(line) as Told);
  const kinds = told.map(({ kind }) => kind);
  const order = ['submitted', 'placed', 'launched', 'exited'];
  expect(kinds.filter((kind) => order.includes(kind))).toEqual(order);
  expect(told.map(({ seq }) => seq)).toEqual(told.map(({ seq }) => seq).toSorted((a, b) => a - b));
  expect(runtimeStarts(`${id}.1`)).toBe(1);
}

const HERE: [string, number][] = [
  ['a year back', -YEAR],
  ['a year ahead', YEAR],
];
test.concurrent.each(shareOf(HERE, 1))(
  'row 28: the clock of the submit host is set %s while a task runs and its link breaks',
  async (_name, step) => {
    await using sshd = await startSshd({ lines: ['PerSourcePenalties no', 'MaxStartups 100'] });
    const proxy = await startTcpProxy(sshd.port);
    await using daemon = daemonThrough({ vm: proxy.port }, MANY_LOGINS);
    const clock = localClock(daemon.dir);
    await daemon.start(clock.env);
    const limits = ['--time', '10m', '--cleanup', 'always'];
    const { id: running, go } = await submitWaiting(daemon, 'vm2', '--time', '10m');
    clock.set(step);
    proxy.cut();
    const after = await daemon.submit(...limits, MINI, '--', 'echo', 'new');
    expect((await daemon.cli('wait', after)).stdout).toBe(`${after} succeeded 0\n`);
    clock.set(0);
    proxy.cut();
    await go();
    expect((await daemon.cli('wait', running)).stdout).toBe(`${running} succeeded 0\n`);
    expect((await daemon.cli('logs', running)).stdout).toBe(WAITING_OUTPUT);
    for (const id of [running, after]) await expectInOrder(daemon, id);
    await proxy.stop();
  },
);

const THERE: [string, number][] = [
  ['a year back', -YEAR / 1_000],
  ['ten minutes ahead', 600],
];
test.concurrent.each(shareOf(THERE, 1))(
  'row 28: the clock of the host is %s: pulls, limits and ends are as they should be',
  async (_name, seconds) => {
    await using clock = await hostClock(seconds);
    await using sshd = await startSshd({ lines: [clock.line] });
    // its own images: two tasks want the same one at once
    await using daemon = daemonThrough({ vm: sshd.port }, { image_cache_dir: '' });
    await daemon.start();
    const args = ['--cleanup', 'always'];
    const [short, long, cut] = await Promise.all([
      daemon.submit(...args, '--time', '10m', MINI, '--', 'sleep', '0.3'),
      daemon.submit(...args, MINI, '--', 'sleep', '1'),
      daemon.submit(...args, '--time', '2s', MINI, '--', 'sleep', '600'),
    ]);
    for (const id of [short, long])
      expect((await daemon.cli('wait', id)).stdout).toBe(`${id} succeeded 0\n`);
    expect((await daemon.cli('wait', cut)).stdout).toContain('TASK_TIME_LIMIT');
    for (const id of [short, long, cut]) await expectInOrder(daemon, id);
    const { startedAt } = JSON.parse((await daemon.cli('show', '--json', short)).stdout) as {
      startedAt: string;
    };
    // The shim is what the host goes by.
    const skew = (Date.parse(startedAt) - Date.now()) / 1_000;
    expect(Math.abs(skew - seconds)).toBeLessThan(120);
  },
);
