/**
 * Goal: when the machine behind a name turns into another one in the middle of a run, nothing is said to it, no task
 * ends because of it, and all go on when the right one is back.
 * Method: one port (a proxy) behind which the right sshd is replaced while a task runs and others wait. What a host is told
 * and how trust is given is in test/e2e/host-keys.test.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stored } from '../support/crash-task.ts';
import type { TestDaemon } from '../support/daemon.ts';
import { daemonThrough, knownHostsOf, MANY_LOGINS } from '../support/faults/own-way.ts';
import { submitWhole } from '../support/faults/whole-task.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const LOUD = ['LogLevel DEBUG1', 'PerSourcePenalties no'];

/** They were asked who they are, and told nothing about us. */
function expectNothingSaid(sshd: Sshd): void {
  expect(sshd.logins().connections).toBeGreaterThan(0);
  expect(sshd.log()).not.toMatch(/userauth|alice|Accepted|Failed/);
}

async function allWaitFor(daemon: TestDaemon, ids: string[], reason: string): Promise<void> {
  // a link that lived shortly is made again only after a while, unless somebody asks
  await daemon.cli('host', 'show', 'vm');
  const reasons = (): (string | undefined)[] =>
    ids.map((id) => stored(daemon, id)?.blocked?.reason);
  const told = (): boolean => reasons().every((one) => one === reason);
  await until(told, () => `${reason}: ${JSON.stringify(reasons())}`, 60_000);
}

async function allGoOn(daemon: TestDaemon, ids: string[]): Promise<void> {
  const isFree = (id: string): boolean => stored(daemon, id)?.blocked === undefined;
  await until(async () => {
    await daemon.cli('host', 'show', 'vm');
    return ids.every(isFree);
  });
}

test('row 29: the host key changes, is of another type, is revoked in the middle of a run', async () => {
  await using right = await startSshd({ lines: LOUD });
  const proxy = await startTcpProxy(right.port);
  await using daemon = daemonThrough({ vm: proxy.port }, MANY_LOGINS);
  const become = (sshd: Sshd): void => {
    proxy.retarget(sshd.port);
    proxy.cut();
  };
  await daemon.start();
  const running = await submitWhole(daemon, { lines: 15, pause: 1 });
  await until(() => stored(daemon, running.id)?.kind === 'running');
  const tasks = [running];

  for (const [key, words] of [
    ['changed', 'but its pinned key is'],
    ['ecdsa', 'offers no key of a pinned type'],
  ] as const) {
    await using wrong = await startSshd({ hostKeys: [key], lines: LOUD });
    become(wrong);
    tasks.push(await submitWhole(daemon));
    const ids = [running.id, tasks.at(-1)?.id ?? ''];
    await allWaitFor(daemon, ids, 'SSH_HOST_KEY_CHANGED');
    expect((await daemon.show(running.id)).blocked?.message).toContain(words);
    expectNothingSaid(wrong);
    become(right);
    await allGoOn(daemon, ids);
    expectNothingSaid(wrong);
  }

  const pins = readFileSync(knownHostsOf(daemon), 'utf8');
  writeFileSync(knownHostsOf(daemon), `@revoked ${pins}`);
  proxy.cut();
  tasks.push(await submitWhole(daemon));
  await allWaitFor(daemon, [tasks.at(-1)?.id ?? ''], 'SSH_HOST_KEY_REVOKED');
  // a login that was under way when the pin was revoked may have ended well
  const { accepted, connections } = right.logins();
  await until(async () => {
    await daemon.cli('host', 'show', 'vm');
    return right.logins().connections > connections;
  });
  expect(right.logins().accepted).toBe(accepted);
  writeFileSync(knownHostsOf(daemon), pins);
  await allGoOn(daemon, [tasks.at(-1)?.id ?? '']);
  await Promise.all(tasks.map((task) => task.expectWhole()));
  await proxy.stop();
});
