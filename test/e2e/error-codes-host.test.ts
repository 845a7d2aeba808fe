/**
 * Goal: what a host, its links and its files can do wrong reaches the user by its code, with a next step.
 * Method: a real host brought to each fault; more codes are in errors.test.ts and errors-link.test.ts, which
 * test/architecture/provoked.ts lists.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/domain/error-registry.ts';
import { MINI, onHost } from '../support/bed.ts';
import { heldAt } from '../support/crash-task.ts';
import { makeDaemon, type Ran, type TaskJson, type TestDaemon } from '../support/daemon.ts';
import { freshImage } from '../support/registry.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

let closed: Sshd;
let bare: Sshd;
let daemon: TestDaemon;

beforeAll(async () => {
  [closed, bare] = await Promise.all([
    startSshd({ lines: ['MaxSessions 0'] }),
    startSshd({ lines: ['SetEnv PATH=/nowhere'] }),
  ]);
  daemon = makeDaemon({
    hosts: {
      vm: { on: 'vm', keys: { max_tasks: '3' } },
      narrow: { on: 'vm', keys: { max_tasks: '1' } },
      off: { on: 'vm', keys: { enabled: 'false' } },
      bare: { on: 'vm2', keys: { port: String(bare.port), known_hosts: '' } },
      unread: { on: 'vm', keys: { known_hosts: '/proc/self' } },
      closed: { on: 'vm2', keys: { port: String(closed.port), known_hosts: '' } },
    },
    more: '[host.here]\ntype = local\nroot = ~/.towline-test-unused',
  });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await closed.stop();
  await bare.stop();
});

const sleeper = ['--', 'sh', '-c', 'while [ ! -e go ]; do sleep 0.1; done'];

async function letGo(id: string): Promise<void> {
  await onHost('vm', 'touch', `${(await daemon.show(id)).remoteDir}/work/go`);
  await daemon.cli('wait', id);
}

function expectRefused(ran: Ran, code: ErrorCode, named: string): void {
  expect(ran.stderr).toContain(`${code}: `);
  expect(ran.stderr).toContain(named);
  expect(ran.stderr).toContain('hint: ');
  expect(ran.stderr).not.toMatch(/hint: .*\{\w+\}/);
  expect(ran.code).not.toBe(0);
}

/** Submits, and waits until the task says that it cannot move for this reason. */
async function expectBlocked(host: string, code: ErrorCode, named: string): Promise<void> {
  const id = await daemon.submit('--host', host, MINI, '--', 'true');
  let blocked: TaskJson['blocked'];
  await until(
    async () => {
      ({ blocked } = await daemon.show(id));
      return blocked?.reason === code;
    },
    () => `${code}; it says ${JSON.stringify(blocked)}`,
  );
  expect(blocked?.message).toContain(named);
  expect(blocked?.hint).not.toMatch(/^$|\{\w+\}/);
  await daemon.cli('cancel', id);
}

/** Trusts the first key that a host offers. */
async function trust(host: string): Promise<void> {
  const { stdout } = await daemon.cli('host', 'trust', host, '--json');
  const { keys } = JSON.parse(stdout) as { keys: { fingerprint: string }[] };
  const ran = await daemon.cli('host', 'trust', host, '--fingerprint', keys[0]?.fingerprint ?? '');
  if (ran.code !== 0) throw new Error(ran.stderr);
}

/** Runs to the end, which is a failure of this code. */
async function expectFailure(code: ErrorCode, named: string, ...args: string[]): Promise<void> {
  const id = await daemon.submit(...(args.includes('--host') ? [] : ['--host', 'vm']), ...args);
  await daemon.cli('wait', id);
  const { failure } = await daemon.show(id);
  expect(failure?.code, failure?.message).toBe(code);
  expect(failure?.message).toContain(named);
  expect(failure?.hint).not.toMatch(/^$|\{\w+\}/);
}

test('TASK_WAITS_FOR_ROOM: the second task of a host with one slot', async () => {
  const first = await daemon.submit('--host', 'narrow', MINI, ...sleeper);
  await until(async () => (await daemon.show(first)).state === 'running');
  await expectBlocked('narrow', 'TASK_WAITS_FOR_ROOM', 'no room');
  await letGo(first);
});

test('HOST_DISABLED: a host with enabled = false gets nothing', () =>
  expectBlocked('off', 'HOST_DISABLED', 'enabled = false'));

test('HOST_TOOL_MISSING: an account whose PATH leads nowhere', async () => {
  await trust('bare');
  await expectFailure('HOST_TOOL_MISSING', 'lacks awk', '--host', 'bare', MINI, '--', 'true');
});

test('SSH_KNOWN_HOSTS_UNREADABLE: known_hosts that is no file', () =>
  expectBlocked('unread', 'SSH_KNOWN_HOSTS_UNREADABLE', '/proc/self'));

test('SSH_CHANNEL_REFUSED: an sshd that takes logins and no sessions', async () => {
  await trust('closed');
  await expectBlocked('closed', 'SSH_CHANNEL_REFUSED', 'hannel');
});

test('HOST_KEY_NOT_OFFERED and HOST_WITHOUT_KEYS: trust of what is not there', async () => {
  const none = `SHA256:${'A'.repeat(43)}`;
  const ran = await daemon.cli('host', 'trust', 'closed', '--fingerprint', none);
  expectRefused(ran, 'HOST_KEY_NOT_OFFERED', none);
  expectRefused(await daemon.cli('host', 'trust', 'here'), 'HOST_WITHOUT_KEYS', 'here');
});

test('HOST_IN_USE and IMAGE_IN_USE: what a running task needs is not taken from it', async () => {
  const image = await freshImage();
  const id = await daemon.submit('--host', 'vm', image.reference, ...sleeper);
  await until(async () => (await daemon.show(id)).state === 'running');
  expectRefused(await daemon.cli('host', 'forget', 'vm', '--yes'), 'HOST_IN_USE', 'vm');
  const removed = await daemon.cli('image', 'remove', 'vm', image.reference);
  expectRefused(removed, 'IMAGE_IN_USE', image.name);
  await letGo(id);
  expect((await daemon.cli('image', 'remove', 'vm', image.reference)).code).toBe(0);
});

test('STAGE_REMOTE_INPUT_MISSING: an input on the host that is not there', () =>
  expectFailure(
    'STAGE_REMOTE_INPUT_MISSING',
    '/no/such',
    '--input',
    'remote:/no/such',
    MINI,
    '--',
    'true',
  ));

test('STAGE_INPUT_UNREADABLE: an input that is no file', async () => {
  const ran = await daemon.cli('submit', '--input', '/dev/null:/x', MINI, '--', 'true');
  expectRefused(ran, 'STAGE_INPUT_UNREADABLE', '/dev/null');
});

test('OUTPUT_LOCAL_WRITE: an output below a file', async () => {
  writeFileSync(join(daemon.dir, 'plain'), '');
  const to = join(daemon.dir, 'plain', 'x');
  await expectFailure(
    'OUTPUT_LOCAL_WRITE',
    join(daemon.dir, 'plain'),
    '--output',
    `x:${to}`,
    MINI,
    '--',
    'touch',
    'x',
  );
});

test('SFTP_DENIED: an output that even its owner may not read', () =>
  expectFailure('SFTP_DENIED', 'x', '--output', 'x', MINI, '--', 'sh', '-c', 'echo >x; chmod 0 x'));

test('STREAM_TRUNCATED: a stream that shrinks on the host', async () => {
  const id = await daemon.submit('--host', 'vm', MINI, '--', 'sh', '-c', `seq 100; ${sleeper[3]}`);
  await until(async () => (await daemon.show(id)).streams.stdout.bytes > 0);
  await onHost('vm', 'sh', '-c', `: >${(await daemon.show(id)).remoteDir}/stdout`);
  await letGo(id);
  expect((await daemon.show(id)).failure?.code).toBe('STREAM_TRUNCATED');
  const { stdout } = await daemon.cli('logs', id, '--stdout');
  expect(stdout.startsWith('1\n2\n')).toBe(true);
});

test('STREAM_COPIER_DIED: a copier that is killed', async () => {
  const id = await daemon.submit(
    '--host',
    'vm',
    MINI,
    '--',
    'sh',
    '-c',
    `echo a; ${sleeper[3]}; echo b`,
  );
  await until(async () => (await daemon.show(id)).streams.stdout.bytes > 0);
  const { remoteDir } = await daemon.show(id);
  const cats = `for p in /proc/[0-9]*; do [ "$(readlink $p/fd/1)" = "${remoteDir}/stdout" ] && kill -9 "\${p#/proc/}"; done; true`;
  await onHost('vm', 'su', 'alice', '-c', cats);
  await letGo(id);
  expect((await daemon.show(id)).failure?.code).toBe('STREAM_COPIER_DIED');
});

test("LAUNCH_CONFLICT: somebody else's directory stands where the attempt's would", async () => {
  await using other = makeDaemon();
  await other.start({ TOWLINE_FAULT: 'launch.before:2:hold' });
  await other.run('true');
  const id = await other.submit(MINI, '--', 'true');
  await heldAt(other, 'launch.before');
  await other.kill('SIGKILL');
  const tasks = `${other.root}/tasks`;
  const script = `cd ${tasks}/* && mkdir ${id}.1 && echo '{}' >${id}.1/spec.json && chown -R alice: ${id}.1`;
  await onHost('vm', 'sh', '-c', script);
  await other.start();
  await other.cli('wait', id);
  expect((await other.show(id)).failure?.code).toBe('LAUNCH_CONFLICT');
});

test('SSH_PROTOCOL: a server with whom no cipher can be agreed on', async () => {
  await using old = await startSshd({ lines: ['Ciphers 3des-cbc'] });
  await using other = makeDaemon({
    hosts: { old: { on: 'vm2', keys: { port: String(old.port) } } },
  });
  await other.start();
  const id = await other.submit(MINI, '--', 'true');
  let blocked: TaskJson['blocked'];
  await until(async () => {
    ({ blocked } = await other.show(id));
    return blocked !== undefined;
  });
  expect(blocked?.reason).toBe('SSH_PROTOCOL');
  expect(blocked?.message).toMatch(/no matching .*cipher/i);
  expect(blocked?.hint).toContain(`ssh -v -p ${old.port}`);
});
