/**
 * Goal: every failure that a user can cause or meet has a code and a next step of its own, and leaves
 * nothing half done.
 * Method: a real host without a runtime, with a full disk, images without a shell, configurations and
 * tasks with a mistake in them. Trouble with the link is in errors-link.test.ts, images and staging in
 * files of their own.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { found, MINI, onHost } from '../support/bed.ts';
import { finished, makeDaemon, type TaskJson, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const NOSHELL = 'docker://registry:5000/noshell:1';
const BUSY = 'docker://registry:5000/busy:1';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

async function last(of: TestDaemon = daemon): Promise<TaskJson> {
  const { stdout } = await of.cli('list', '--json');
  const [task] = (JSON.parse(stdout) as { tasks: TaskJson[] }).tasks;
  return of.show(task?.id ?? '');
}

/** Waits until a task says that it cannot move for this reason. */
async function blockedFor(of: TestDaemon, id: string, reason: string) {
  let task = await of.show(id);
  await until(
    async () => {
      task = await of.show(id);
      return task.ended || task.blocked?.reason === reason;
    },
    () => JSON.stringify(task),
  );
  if (task.blocked === undefined) throw new Error(`it ended: ${JSON.stringify(task)}`);
  return task.blocked;
}

async function countTasks(): Promise<number> {
  const { stdout } = await daemon.cli('list', '--json');
  return (JSON.parse(stdout) as { tasks: TaskJson[] }).tasks.length;
}

test('a text in an image without a shell fails with a code of its own', async () => {
  const ran = await daemon.cli('run', '--shell', NOSHELL, '--', 'echo hello');
  expect(ran.code).toBe(125);
  expect(ran.stdout).toBe('');
  expect(ran.stderr).toContain('IMAGE_NO_SHELL');
  expect(ran.stderr).toContain('hint: give the command as words');
  expect(await last()).toMatchObject({ state: 'error', failure: { code: 'IMAGE_NO_SHELL' } });
});

test('the programs of an image without a shell run, with their own output and code', async () => {
  const echo = await daemon.cli('run', NOSHELL, '--', 'echo', 'a  b', '$x');
  expect(echo).toMatchObject({ code: 0, stdout: 'a  b $x\n', stderr: '' });
  const missing = await daemon.cli('run', NOSHELL, '--', 'cat', '/nowhere');
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('/nowhere');
  expect((await last()).failure?.code).toBe('TASK_EXIT_CODE');
});

test('an image that has only sh runs texts with it', async () => {
  const ran = await daemon.cli('run', '--shell', BUSY, '--', 'echo "$0"; exit 42');
  expect(ran, ran.stderr).toMatchObject({ code: 42, stdout: '/mnt/task/command\n' });
});

test('codes of the command are told apart from a container that did not start', async () => {
  for (const code of [1, 125, 137, 255]) {
    const ran = await daemon.run('sh', '-c', `exit ${code}`);
    expect(ran.code).toBe(code);
    expect(await last()).toMatchObject({ exitCode: code, failure: { code: 'TASK_EXIT_CODE' } });
  }
  const option = ['--runtime-arg', '--no-such-option'];
  const ran = await daemon.cli('run', ...option, MINI, '--', 'true');
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('RUNTIME_START_FAILED');
  expect(ran.stderr).toContain('no-such-option');
  const task = await last();
  expect(task).toMatchObject({ state: 'error', failure: { code: 'RUNTIME_START_FAILED' } });
  expect(task.exitCode).toBeUndefined();
});

test('a command that the image does not have ends with the code of a shell', async () => {
  const ran = await daemon.run('no-such-program');
  expect(ran.code).toBe(127);
  expect(ran.stderr).toContain('no-such-program');
});

test('a mistake in a task is refused by its field and leaves no task behind', async () => {
  const before = await countTasks();
  const cases: [string[], string, string][] = [
    [['ftp://nowhere/x', '--', 'true'], 'IMAGE_REFERENCE_INVALID', 'ftp'],
    [['../x.sif', '--', 'true'], 'IMAGE_REFERENCE_INVALID', '.sif'],
    [['--host', 'nowhere', MINI, '--', 'true'], 'HOST_UNKNOWN', 'vm'],
    [['--env', '1X=a', MINI, '--', 'true'], 'TASK_INVALID', 'env'],
    [['--output', '../up', MINI, '--', 'true'], 'TASK_INVALID', 'outputs[0]'],
    [['--cpus', '100000', '--host', 'vm', MINI, '--', 'true'], 'TASK_INVALID', 'cpus'],
  ];
  for (const [words, code, named] of cases) {
    const ran = await daemon.cli('submit', ...words);
    expect(ran.stderr, words.join(' ')).toContain(code);
    expect(ran.stderr).toContain(named);
    expect(ran.stderr).toContain('hint: ');
    expect([2, 11]).toContain(ran.code);
    expect(ran.stdout).toBe('');
  }
  expect(await countTasks()).toBe(before);
});

test('a host without a runtime is told, and the task runs again once it is configured', async () => {
  await using other = makeDaemon({ vm: { runtime: '/nonexistent/apptainer' } });
  await other.start();
  const id = await other.submit(MINI, '--', 'echo', 'there');
  await other.cli('wait', id);
  const task = await other.show(id);
  expect(task).toMatchObject({ state: 'error', failure: { code: 'RUNTIME_NOT_FOUND' } });
  expect(task.failure?.message).toContain('/nonexistent/apptainer');
  expect(task.failure?.hint).toContain('install Apptainer on vm');
  const text = readFileSync(other.configFile, 'utf8');
  writeFileSync(other.configFile, text.replace('/nonexistent/apptainer', 'apptainer'));
  const seen = other.log().length;
  process.kill(other.pid(), 'SIGHUP');
  await until(() => other.log().slice(seen).includes('configuration'));
  expect((await other.cli('retry', id)).code).toBe(0);
  const waited = await other.cli('wait', id);
  expect(waited.code, waited.stdout + waited.stderr).toBe(0);
});

test('a configuration with a mistake is explained by file and line, and a running daemon keeps its own', async () => {
  await using other = makeDaemon();
  await other.start();
  const text = readFileSync(other.configFile, 'utf8');
  writeFileSync(other.configFile, text.replace('identity_file', 'identity_fiel'));
  const line = text.split('\n').findIndex((words) => words.startsWith('identity_file')) + 1;
  const checked = await other.cli('config', 'check', '--config', other.configFile);
  expect(checked.code).toBe(12);
  expect(checked.stdout + checked.stderr).toContain(`${other.configFile}:${line}`);
  expect(checked.stdout + checked.stderr).toMatch(/CONFIG_KEY_UNKNOWN[\s\S]*identity_file/);
  const seen = other.log().length;
  process.kill(other.pid(), 'SIGHUP');
  await until(() => other.log().slice(seen).includes('CONFIG_KEY_UNKNOWN'));
  expect(await other.run('echo', 'as before')).toMatchObject({ code: 0, stdout: 'as before\n' });
  const second = await finished(other.spawnCli(['daemon', '--config', other.configFile]));
  expect(second.code).toBe(12);
});

test('a reload asked for while the daemon starts is done once it has', async () => {
  await using other = makeDaemon();
  const started = other.launch();
  await until(() => existsSync(join(other.stateDir, 'lock.sqlite')));
  started.kill('SIGHUP');
  await until(
    () => other.log().includes('"configuration reloaded"'),
    () => `${started.exitCode} ${started.signalCode} ${other.log()}`,
  );
});

test('a full disk on the host is told, nothing half is left, and work goes on when there is room', async () => {
  const root = `/mnt/small/t${process.pid}`;
  await using other = makeDaemon({ vm: { root } });
  await other.start();
  writeFileSync(join(other.dir, 'large'), Buffer.alloc(4 << 20, 1));
  const large = await other.submit('--input', join(other.dir, 'large'), MINI, '--', 'true');
  const full = await blockedFor(other, large, 'HOST_NO_SPACE');
  expect(full.hint).toContain('free space on vm');
  expect((await other.cli('cancel', large)).code).toBe(0);
  expect((await other.cli('wait', large)).stdout).toContain('cancelled');
  // its upload may have been tried again just then: what came of it is in nobody's way
  await until(async () => (await found('vm', `${root}/store`, '-type', 'f')).length === 0);
  expect(await other.run('echo', 'small')).toMatchObject({ code: 0, stdout: 'small\n' });

  // its removal would make room again
  const attempts = ['-maxdepth', '2', '-name', '*.1'];
  await until(async () => (await found('vm', `${root}/tasks`, ...attempts)).length === 0);
  await onHost('vm', 'sh', '-c', 'head -c 9000000 /dev/zero >"$0/filler" 2>/dev/null; true', root);
  const id = await other.submit(MINI, '--', 'echo', 'later');
  await blockedFor(other, id, 'HOST_NO_SPACE');
  await onHost('vm', 'rm', `${root}/filler`);
  const waited = await other.cli('wait', id);
  expect(waited.code, waited.stdout + waited.stderr).toBe(0);
});
