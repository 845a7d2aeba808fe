/**
 * Goal: trouble with the way to a host never fails a task: it waits, says why, what to do and when it
 * is tried next, and goes on once the trouble is mended.
 * Method: a daemon of its own for each trouble; the test mends the file named in the hint and sends
 * SIGHUP, or waits for the next try.
 */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BED, bedLog, MINI, SSH_PORT, testbed } from '../support/bed.ts';
import {
  type DaemonOptions,
  type HostJson,
  makeDaemon,
  type TaskJson,
  type TestDaemon,
} from '../support/daemon.ts';
import { until } from '../support/until.ts';

const hostOf = (daemon: TestDaemon): Promise<HostJson> => daemon.showHost('vm');

/** A task that waits because of the link, and why. */
async function blockedTask(
  daemon: TestDaemon,
): Promise<{ id: string; blocked: NonNullable<TaskJson['blocked']> }> {
  const id = await daemon.submit(MINI, '--', 'echo', 'went on');
  let task = await daemon.show(id);
  await until(
    async () => {
      task = await daemon.show(id);
      return task.blocked !== undefined;
    },
    () => `blocked: ${JSON.stringify(task)}`,
  );
  expect(task.ended).toBe(false);
  return { id, blocked: task.blocked as NonNullable<TaskJson['blocked']> };
}

async function goesOn(daemon: TestDaemon, id: string): Promise<void> {
  const waited = await daemon.cli('wait', id);
  expect(waited.code, waited.stdout + waited.stderr).toBe(0);
  const { stdout } = await daemon.cli('logs', id, '--stdout');
  expect(stdout).toBe('went on\n');
}

/** A file of the bed under a name of the test's own, to be replaced later. */
function own(daemon: TestDaemon, name: string, from: string): string {
  const path = join(daemon.dir, name);
  copyFileSync(join(BED, from), path);
  chmodSync(path, 0o600);
  return path;
}

function reconfigure(daemon: TestDaemon, key: string, value: string): void {
  const text = readFileSync(daemon.configFile, 'utf8');
  const line = new RegExp(`^${key} = .*$`, 'm');
  expect(text).toMatch(line);
  writeFileSync(daemon.configFile, text.replace(line, `${key} = ${value}`));
}

async function started(options: DaemonOptions = {}): Promise<TestDaemon> {
  const daemon = makeDaemon(options);
  await daemon.start();
  return daemon;
}

test('a host whose key nobody has pinned is refused, and reached once the line is there', async () => {
  await using daemon = makeDaemon();
  const knownHosts = join(daemon.dir, 'known_hosts');
  writeFileSync(knownHosts, '# nobody yet\n');
  reconfigure(daemon, 'known_hosts', knownHosts);
  await daemon.start();
  const { id, blocked } = await blockedTask(daemon);
  expect(blocked.reason).toBe('SSH_HOST_KEY_UNKNOWN');
  expect(blocked.message).toMatch(/SHA256:/);
  expect(Date.parse(blocked.nextTryAt ?? '')).toBeGreaterThan(Date.now());
  const { link } = await hostOf(daemon);
  expect(link).toMatchObject({ kind: 'refused', code: 'SSH_HOST_KEY_UNKNOWN' });
  expect(link.hint).toContain('towline host trust vm');
  const page = (await daemon.cli('show', id)).stdout;
  expect(page).toContain('SSH_HOST_KEY_UNKNOWN');
  expect(page).toContain('towline host trust vm');
  copyFileSync(join(BED, 'known_hosts'), knownHosts);
  process.kill(daemon.pid(), 'SIGHUP');
  await goesOn(daemon, id);
});

test('a host whose key changed is refused with an alarm of its own, and no secret is offered', async () => {
  await using daemon = makeDaemon();
  const knownHosts = own(daemon, 'known_hosts', 'known_hosts_changed');
  reconfigure(daemon, 'known_hosts', knownHosts);
  const before = bedLog('sshd').length;
  await daemon.start();
  const { id, blocked } = await blockedTask(daemon);
  expect(blocked.reason).toBe('SSH_HOST_KEY_CHANGED');
  const { link } = await hostOf(daemon);
  expect(link.kind).toBe('refused');
  expect(link.hint).toContain('towline host trust vm --replace');
  expect(link.message).toContain(`${knownHosts}:1`);
  expect(bedLog('sshd').slice(before)).not.toContain('Failed publickey for alice');
  copyFileSync(join(BED, 'known_hosts'), knownHosts);
  process.kill(daemon.pid(), 'SIGHUP');
  await goesOn(daemon, id);
});

test('a key that the host does not take waits for the right one, without trying again and again', async () => {
  await using daemon = makeDaemon();
  const key = own(daemon, 'key', 'id_wrong');
  reconfigure(daemon, 'identity_file', key);
  const before = bedLog('sshd').length;
  try {
    await daemon.start();
    const { id, blocked } = await blockedTask(daemon);
    expect(blocked.reason).toBe('SSH_AUTH_FAILED');
    // An account that refuses is asked rarely, or sshd bans this address.
    expect(Date.parse(blocked.nextTryAt ?? '') - Date.now()).toBeGreaterThan(20_000);
    const { link } = await hostOf(daemon);
    expect(link).toMatchObject({ kind: 'refused' });
    expect(link.hint).toContain(`ssh -p ${SSH_PORT} alice@127.0.0.1`);
    const refused = (): number =>
      bedLog('sshd').slice(before).split('isconnected from authenticating user alice').length - 1;
    await until(() => refused() > 0);
    expect(refused()).toBe(1);
    await testbed('restart-sshd');
    copyFileSync(join(BED, 'id_ed25519'), key);
    process.kill(daemon.pid(), 'SIGHUP');
    await goesOn(daemon, id);
  } finally {
    await testbed('restart-sshd');
  }
});

test('a port on which nothing listens is told, tried again by itself, and mended by a new configuration', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  await new Promise((resolve) => server.close(resolve));
  await using daemon = await started({ vm: { port } });
  const { id, blocked } = await blockedTask(daemon);
  expect(blocked.reason).toBe('SSH_CONNECTION_REFUSED');
  const first = (await hostOf(daemon)).link;
  expect(first.kind).toBe('unreachable');
  await until(async () => {
    const { nextTryAt } = (await hostOf(daemon)).link;
    return nextTryAt !== undefined && nextTryAt !== first.nextTryAt;
  });
  reconfigure(daemon, 'port', SSH_PORT);
  process.kill(daemon.pid(), 'SIGHUP');
  await goesOn(daemon, id);
});
