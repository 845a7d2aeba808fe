/**
 * Goal: what a task prints arrives soon, whole and unmixed, and how it ended is told exactly. Method:
 * the built CLI against a daemon of the test's own and the real host and runtime; bytes are compared
 * with bytes that were known before, times with times the payload itself took (host and test share a clock).
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { finished, makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

describe('how soon and how fast', () => {
  // a machine that is busy with others is late now and then, and not each time
  const TRIES = 3;
  test('a line a second is seen line by line, each within half a second', {
    retry: TRIES - 1,
  }, async () => {
    // The long pause at the end: a quiet task is looked at less often, but not too seldom.
    const payload = 'for pause in 1 1 1 3.2 0; do date +%s.%N; sleep $pause; done';
    const run = daemon.spawnCli(['run', '--host', 'vm', MINI, '--', 'sh', '-c', payload]);
    const delays: number[] = [];
    run.stdout?.on('data', (chunk: Buffer) => {
      const at = Date.now() / 1000;
      for (const line of chunk.toString().trimEnd().split('\n')) delays.push(at - Number(line));
    });
    expect((await finished(run)).code).toBe(0);
    console.log(`delays of lines in ms: ${delays.map((delay) => Math.round(delay * 1000))}`);
    expect(delays).toHaveLength(5);
    expect(Math.max(...delays)).toBeLessThan(0.5);
  });

  test('100 MB on both streams arrive with the right hashes while the daemon stays small', async () => {
    const bytes = 50_000_000;
    const print = (step: number) => `seq 1 ${step} 900000000 | head -c ${bytes}`;
    const payload = `${print(1)} & ${print(3)} >&2; wait`;
    const words = ['run', '--host', 'vm', '--output-limit', '200MB', MINI, '--', 'sh', '-c'];
    const run = daemon.spawnCli([...words, payload]);
    const got = Promise.all([digest(run, 'stdout'), digest(run, 'stderr')]);
    const code = new Promise((resolve) => run.once('close', resolve));
    const { began, ended, ...hashes } = await got.then(([stdout, stderr]) => ({
      began: Math.min(stdout.began, stderr.began),
      ended: Math.max(stdout.ended, stderr.ended),
      stdout: stdout.sha256,
      stderr: stderr.sha256,
    }));
    const megabytesPerSecond = (2 * bytes) / 1000 / (ended - began);
    const peak = peakMemoryMiB(daemon.pid());
    console.log(`200 MB at ${megabytesPerSecond.toFixed(1)} MB/s, daemon's peak ${peak} MiB`);
    expect(await code).toBe(0);
    expect(hashes).toEqual({ stdout: await hashOf(print(1)), stderr: await hashOf(print(3)) });
    expect(peak).toBeLessThan(400);
  });
});

describe('what a command may do with its streams', () => {
  test('all byte values and a missing last newline arrive as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 7) & 0xff));
    writeFileSync(join(daemon.dir, 'bytes'), bytes);
    const words = ['run', '--host', 'vm', '--input', join(daemon.dir, 'bytes'), MINI, '--'];
    const run = daemon.spawnCli([
      ...words,
      'sh',
      '-c',
      'cat ../inputs/bytes; tac -s x <../inputs/bytes | head -c 500 >&2; cat ../inputs/bytes >&2',
    ]);
    const [stdout, stderr] = await Promise.all([bytesOf(run, 'stdout'), bytesOf(run, 'stderr')]);
    expect(stdout.equals(bytes)).toBe(true);
    expect(stderr.subarray(-bytes.length).equals(bytes)).toBe(true);
  });

  test('opening /dev/stderr and /dev/stdout anew loses nothing that was written before', async () => {
    const payload =
      'echo a; echo b >&2; echo c >/dev/stdout; echo d >/dev/stderr; echo e; echo f >&2';
    expect(await daemon.run('sh', '-c', payload)).toMatchObject({
      code: 0,
      stdout: 'a\nc\ne\n',
      stderr: 'b\nd\nf\n',
    });
  });

  test('a child in the background that holds the pipes does not keep the task running', async () => {
    const began = performance.now();
    const ran = await daemon.run('sh', '-c', 'setsid sleep 321.25 & sleep 321.25 & echo done');
    expect(ran).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await living('sleep 321.25')).toBe('');
  });

  test('a command that prints more than its cap is ended and told so', async () => {
    const id = await daemon.submit(
      ...['--host', 'vm', '--output-limit', '1MiB', MINI],
      ...['--', 'sh', '-c', 'echo whole >&2; yes towline'],
    );
    expect((await daemon.cli('wait', id)).stdout).toMatch(/ failed .*TASK_OUTPUT_LIMIT\n$/);
    const task = await daemon.show(id);
    expect(task.failure?.hint).toContain('output_limit');
    expect(task.streams.stdout.bytes).toBe(1 << 20);
    const { stdout, stderr } = await daemon.cli('logs', id);
    expect(stdout).toBe('towline\n'.repeat((1 << 20) / 8));
    expect(stderr).toBe('whole\n');
  });

  test('a time limit is kept by the host while the daemon is down', async () => {
    await using own = makeDaemon();
    await own.start();
    const id = await own.submit(
      ...['--host', 'vm', '--time', '5s', MINI],
      ...['--', 'sh', '-c', 'trap "" TERM; echo begun; while :; do sleep 317.5; done'],
    );
    await until(async () => own.storedState(id) === 'running');
    await own.kill('SIGKILL');
    const record = `${own.root}/tasks/*/${id}.1/exit.json`;
    await until(async () => (await onHost('vm', 'sh', '-c', `ls ${record} || true`)) !== '');
    expect(await living('sleep 317.5')).toBe('');
    await own.start();
    expect((await own.cli('wait', id)).stdout).toMatch(/ failed .*TASK_TIME_LIMIT\n$/);
    const shown = await own.show(id);
    expect(shown).toMatchObject({ attempt: 1, failure: { code: 'TASK_TIME_LIMIT' } });
    expect((await own.cli('logs', id)).stdout).toBe('begun\n');
  });
});

describe('how a command ended', () => {
  test.each([0, 1, 42, 125, 137, 255])('code %i of a command is its own', async (code) => {
    const id = await daemon.submit('--host', 'vm', MINI, '--', 'sh', '-c', `exit ${code}`);
    await daemon.cli('wait', id);
    const task = await daemon.show(id);
    expect(task.exitCode).toBe(code);
    expect(task.failure?.code).toBe(code === 0 ? undefined : 'TASK_EXIT_CODE');
    expect(await daemon.run('sh', '-c', `exit ${code}`)).toMatchObject({ code, stderr: '' });
  });

  test('a command that a signal ended is told by code and name', async () => {
    const id = await daemon.submit('--host', 'vm', MINI, '--', 'sh', '-c', 'kill -KILL $$');
    await daemon.cli('wait', id);
    const task = await daemon.show(id);
    expect(task).toMatchObject({ exitCode: 137, failure: { code: 'TASK_EXIT_CODE' } });
    expect(task.failure?.message).toContain('signal KILL');
  });

  test('a runtime that refuses its arguments is no exit code of the command', async () => {
    const words = ['--host', 'vm', '--runtime-arg=--no-such-flag', MINI, '--', 'true'];
    const id = await daemon.submit(...words);
    await daemon.cli('wait', id);
    const task = await daemon.show(id);
    expect(task).toMatchObject({ state: 'error', failure: { code: 'RUNTIME_START_FAILED' } });
    expect(task.exitCode).toBeUndefined();
    expect(task.failure?.message).toContain('no-such-flag');
    expect(task.failure?.hint).toContain(`towline logs ${id} --runtime`);
    const ran = await daemon.cli('run', ...words);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toContain('RUNTIME_START_FAILED');
  });

  test('a SIF that is none is told as such', async () => {
    const path = `${daemon.root}-none.sif`;
    await onHost('vm', 'sh', '-c', `echo none >${path}`);
    const ran = await daemon.cli('run', '--host', 'vm', path, '--', 'true');
    await onHost('vm', 'rm', path);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toContain('IMAGE_CORRUPT');
    const { stdout } = await daemon.cli('list', '--quiet', '--limit', '1');
    const task = await daemon.show(stdout.trim());
    expect(task).toMatchObject({ state: 'error', failure: { code: 'IMAGE_CORRUPT' } });
    expect(task.exitCode).toBeUndefined();
  });
});

/** Processes of the host with these arguments. */
function living(words: string): Promise<string> {
  return onHost('vm', 'sh', '-c', `ps -e -o args= | grep -x '${words}' || true`);
}

async function bytesOf(child: ChildProcess, stream: 'stdout' | 'stderr'): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of child[stream] ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function digest(child: ChildProcess, stream: 'stdout' | 'stderr') {
  const hash = createHash('sha256');
  let began = Number.POSITIVE_INFINITY;
  for await (const chunk of child[stream] ?? []) {
    began = Math.min(began, performance.now());
    hash.update(chunk as Buffer);
  }
  return { sha256: hash.digest('hex'), began, ended: performance.now() };
}

/** The hash of what a line of shell prints here. */
async function hashOf(line: string): Promise<string> {
  return (await digest(spawn('sh', ['-c', line]), 'stdout')).sha256;
}

function peakMemoryMiB(pid: number): number {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kibibytes) / 1024);
}
