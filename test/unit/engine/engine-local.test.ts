/**
 * Goal: the engine carries a task from the door to its end and survives its own restart. Method: the
 * whole engine on this machine with the real texts, spool and file operations; the runtime is a
 * script that runs the command right here, and a file the command writes counts its starts.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startLocalEngine } from '../../support/local-engine.ts';
import { until } from '../../support/until.ts';

test('a command that succeeds leaves its output, its code and nothing on the host', async () => {
  const house = await startLocalEngine();
  const { id } = await house.submit('echo out; echo err >&2');
  const { task, streams } = await house.ended(id);
  expect(task.state).toMatchObject({ kind: 'succeeded', exit: { code: 0 }, attempt: 1 });
  expect(await house.text(id, 'stdout')).toBe('out\n');
  expect(await house.text(id, 'stderr')).toBe('err\n');
  expect(streams.stdout).toEqual({ bytes: 4, complete: true });
  await until(async () => (await house.store.loadLive()).tasks.length === 0);
  expect((await house.engine.service.get(id)).task.state).toMatchObject({ cleanup: 'done' });
  const left = await readdir(join(house.root, 'tasks', house.store.daemonId));
  expect(left.filter((name) => name !== '.ended')).toEqual([]);
});

test('a command that fails ends the task as failed with its own code, and its directory is kept', async () => {
  const house = await startLocalEngine();
  const { id } = await house.submit('exit 42', { cleanup: 'on-success' });
  const { task, remoteDir } = await house.ended(id);
  expect(task.state).toMatchObject({
    kind: 'failed',
    exit: { code: 42 },
    failure: { code: 'TASK_EXIT_CODE' },
    cleanup: 'kept',
  });
  expect(existsSync(String(remoteDir))).toBe(true);
  await house.engine.service.gc({ olderThanMs: 0, dryRun: false });
  await until(() => !existsSync(String(remoteDir)));
});

test('a cancelled task ends with nothing of it left, and what it had printed is kept', async () => {
  const house = await startLocalEngine();
  const { id } = await house.submit('echo begun; sleep 300 & wait');
  await house.state(id, 'running');
  await until(async () => (await house.text(id, 'stdout')) === 'begun\n');
  await house.engine.service.cancel(id);
  const { task } = await house.ended(id);
  expect(task.state).toMatchObject({ kind: 'cancelled' });
  expect(await house.text(id, 'stdout')).toBe('begun\n');
  await until(async () => (await house.store.loadLive()).tasks.length === 0);
});

test('inputs arrive with their modes and outputs are brought home', async () => {
  const house = await startLocalEngine();
  const input = join(house.dir, 'input.txt');
  await writeFile(input, 'twelve bytes');
  const line = 'cat >copy; mkdir -p sub; cat ../inputs/in.txt >sub/x.txt; ls ../inputs/tree';
  const { id } = await house.submit(line, {
    inputs: [
      { source: { kind: 'file', path: input }, target: 'in.txt' },
      {
        source: { kind: 'content', base64: Buffer.from('t').toString('base64') },
        target: 'tree/a',
      },
    ],
    stdin: { kind: 'content', base64: Buffer.from('on stdin').toString('base64') },
    outputs: [
      { pattern: 'copy', local: join(house.dir, 'out/copy'), overwrite: false },
      { pattern: 'sub/**/*.txt', local: join(house.dir, 'out/texts'), overwrite: false },
    ],
  });
  const { task } = await house.ended(id);
  expect(task.state).toMatchObject({ kind: 'succeeded' });
  expect('outputs' in task.state && task.state.outputs.length).toBe(2);
  expect(await readFile(join(house.dir, 'out/copy'), 'utf8')).toBe('on stdin');
  expect(await readFile(join(house.dir, 'out/texts/x.txt'), 'utf8')).toBe('twelve bytes');
  expect(await house.text(id, 'stdout')).toBe('a\n');
});

test('a declared output that was not produced is the failure of a command that succeeded', async () => {
  const house = await startLocalEngine();
  const output = { pattern: 'nowhere', local: join(house.dir, 'out'), overwrite: false };
  const { id } = await house.submit('true', { outputs: [output] });
  expect((await house.ended(id)).task.state).toMatchObject({
    kind: 'failed',
    failure: { code: 'OUTPUT_MISSING' },
  });
});

test('a failed command is tried as often as its policy says, each attempt with its own streams', async () => {
  const house = await startLocalEngine();
  const runs = join(house.dir, 'runs');
  const line = `echo x >>'${runs}'; n=$(wc -l <'${runs}'); echo "try $n"; [ "$n" -ge 3 ]`;
  const { id } = await house.submit(line, { retries: 5, retryOn: ['exit'] });
  const { task } = await house.ended(id);
  expect(task.state).toMatchObject({ kind: 'succeeded', attempt: 3 });
  expect(task.history.map((past) => past.result)).toEqual(['failed', 'failed']);
  expect(await house.text(id, 'stdout', 1)).toBe('try 1\n');
  expect(await house.text(id, 'stdout')).toBe('try 3\n');
  expect(await house.lines('runs')).toHaveLength(3);
});

test('a new engine on the same store takes a running task over: one start, every byte once', async () => {
  const house = await startLocalEngine();
  const go = join(house.dir, 'go');
  const runs = join(house.dir, 'runs');
  const line = `echo x >>'${runs}'; echo before; until [ -e '${go}' ]; do sleep 0.02; done; echo after; exit 7`;
  const { id } = await house.submit(line);
  await house.state(id, 'running');
  await until(async () => (await house.text(id, 'stdout')) === 'before\n');
  await house.restart();
  expect((await house.engine.service.get(id)).task.state.kind).toBe('running');
  await writeFile(go, '');
  expect((await house.ended(id)).task.state).toMatchObject({ kind: 'failed', exit: { code: 7 } });
  expect(await house.text(id, 'stdout')).toBe('before\nafter\n');
  expect(await house.lines('runs')).toHaveLength(1);
});

test('a task that ended while no engine was there is found ended', async () => {
  const house = await startLocalEngine();
  const done = join(house.dir, 'done');
  const go = join(house.dir, 'go');
  const { id } = await house.submit(
    `until [ -e '${go}' ]; do sleep 0.02; done; seq 1000; touch '${done}'`,
  );
  await house.state(id, 'running');
  await house.engine.stop();
  await writeFile(go, '');
  await until(() => existsSync(done));
  await house.restart();
  expect((await house.ended(id)).task.state).toMatchObject({ kind: 'succeeded' });
  expect((await house.text(id, 'stdout')).split('\n')).toHaveLength(1001);
});

test('a host whose settings change while a task runs there is looked at again through the new one', async () => {
  const house = await startLocalEngine();
  const go = join(house.dir, 'go');
  const { id } = await house.submit(`echo on; until [ -e '${go}' ]; do sleep 0.02; done; echo off`);
  await house.state(id, 'running');
  await house.engine.reload(house.settings({ maxTasks: 3 }));
  await writeFile(go, '');
  expect((await house.ended(id)).task.state).toMatchObject({ kind: 'succeeded' });
  expect(await house.text(id, 'stdout')).toBe('on\noff\n');
});

test('a container that does not start is an error in the words of the runtime', async () => {
  const house = await startLocalEngine();
  const { id } = await house.submit('true', { images: [join(house.dir, 'broken.sif')] });
  expect((await house.ended(id)).task.state).toMatchObject({
    kind: 'error',
    failure: { code: 'IMAGE_CORRUPT', message: expect.stringContaining('while mounting image') },
  });
});

test('a supervisor that was killed takes no byte and no exit code along', async () => {
  const house = await startLocalEngine();
  const go = join(house.dir, 'go');
  const line = `echo one; until [ -e '${go}' ]; do sleep 0.02; done; seq 5000; exit 9`;
  const { id } = await house.submit(line);
  const { task } = await house.state(id, 'running');
  if (task.state.kind !== 'running') throw new Error('not running');
  // it runs from the claim on: before its command is there the kill would be the end of it
  await until(async () => (await house.text(id, 'stdout')) === 'one\n');
  process.kill(task.state.launch.pid, 'SIGKILL');
  await writeFile(go, '');
  const report = await house.ended(id);
  expect(report.task.state).toMatchObject({ kind: 'failed', exit: { code: 9, salvaged: true } });
  expect((await house.text(id, 'stdout')).split('\n')).toHaveLength(5002);
});

test('an image is pulled once for two tasks, by a job on the host', async () => {
  const house = await startLocalEngine();
  await house.pulls(`echo pulled >>"$here/pulls"
target=$1
{ head -c 32 /dev/zero; printf 'SIF_MAGIC'; head -c 71 /dev/zero; printf '\\x80\\0\\0\\0\\0\\0\\0\\0'; head -c 8 /dev/zero; } >"$target"`);
  const images = ['docker://mini:1'];
  const one = await house.submit('echo one', { images });
  const two = await house.submit('echo two', { images });
  expect((await house.ended(one.id)).task.state).toMatchObject({ kind: 'succeeded' });
  expect((await house.ended(two.id)).task.state).toMatchObject({ kind: 'succeeded' });
  expect(await house.lines('pulls')).toHaveLength(1);
  expect(await house.engine.service.images('local')).toHaveLength(1);
});

test('cancelling one of two tasks that wait for the same pull leaves the other its image', async () => {
  const house = await startLocalEngine();
  await house.pulls(`until [ -e "$here/go" ]; do sleep 0.02; done
{ head -c 32 /dev/zero; printf 'SIF_MAGIC'; head -c 71 /dev/zero; printf '\\x80\\0\\0\\0\\0\\0\\0\\0'; head -c 8 /dev/zero; } >"$1"`);
  const images = ['docker://mini:1'];
  const one = await house.submit('echo one', { images });
  await house.state(one.id, 'pulling');
  const two = await house.submit('echo two', { images });
  await house.state(two.id, 'pulling');
  await house.engine.service.cancel(one.id);
  await writeFile(join(house.dir, 'go'), '');
  expect((await house.ended(two.id)).task.state).toMatchObject({ kind: 'succeeded' });
  expect((await house.ended(one.id)).task.state).toMatchObject({ kind: 'cancelled' });
});

test('a task that is cancelled in the queue never touches a host, and one that is held waits for its release', async () => {
  const house = await startLocalEngine({ maxTasks: 1 });
  const go = join(house.dir, 'go');
  const first = await house.submit(`until [ -e '${go}' ]; do sleep 0.02; done`);
  await house.state(first.id, 'running');
  const second = await house.submit('true');
  const third = await house.submit('true', { held: true });
  await house.engine.service.cancel(second.id);
  expect((await house.ended(second.id)).task.state).toMatchObject({
    kind: 'cancelled',
    cleanup: 'none',
  });
  await writeFile(go, '');
  await house.ended(first.id);
  expect((await house.engine.service.get(third.id)).task.state.kind).toBe('held');
  await house.engine.service.release(third.id);
  expect((await house.ended(third.id)).task.state.kind).toBe('succeeded');
});

test('a directory that the user made where an output goes is told as such, not as a bug', async () => {
  const house = await startLocalEngine();
  await mkdir(join(house.dir, 'out'));
  await writeFile(join(house.dir, 'out/tree'), 'a file of the user');
  const output = { pattern: 'tree', local: join(house.dir, 'out/tree'), overwrite: false };
  const { id } = await house.submit('mkdir tree; touch tree/a', { outputs: [output] });
  expect((await house.ended(id)).task.state).toMatchObject({
    kind: 'error',
    failure: { code: 'OUTPUT_LOCAL_WRITE' },
  });
});
