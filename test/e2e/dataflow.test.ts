/**
 * Goal: the dataflow demo tells what it says, on one host and on two, leaves nothing behind, and goes on where
 * it was: what has finished is never run again. Method: the example as it is, the built CLI and daemon on
 * the bed; starts of the container are counted by the runtime.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onHost, REPO } from '../support/bed.ts';
import { COUNTED, runtimeStarts } from '../support/crash-task.ts';
import { finished, makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const EXAMPLE = join(REPO, 'examples/dataflow');

let daemon: TestDaemon;

beforeAll(async () => {
  const hosts = {
    vm: { on: 'vm', keys: COUNTED },
    other: { on: 'vm2', user: 'bob' },
  } as const;
  daemon = makeDaemon({ hosts });
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

interface Listed {
  id: string;
  name: string;
  state: string;
  cleanup: { state: string };
  reused?: { task: string };
  notReused?: string;
}

/** All tasks of the workflow, newest first. */
async function listed(): Promise<Listed[]> {
  const ran = await daemon.cli('list', '--json', '--all', '--tag', 'workflow=dataflow');
  return (JSON.parse(ran.stdout) as { tasks: Listed[] }).tasks;
}

const result = (): string => readFileSync(join(daemon.dir, 'results/f3.txt'), 'utf8');
const attempts = (host: string, at: string) =>
  onHost(host, 'sh', '-c', `find ${at}/tasks -mindepth 2 -maxdepth 2 -name '*.1' | wc -l`);

test('on one host: the story, the result, nothing left; again: nothing is run', async () => {
  const env = { ...process.env, TOWLINE_SOCKET: daemon.socket, TOWLINE_CONFIG: daemon.configFile };
  const demo = () =>
    finished(
      spawn(join(EXAMPLE, 'run'), [], {
        cwd: daemon.dir,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  const first = await demo();
  expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
  expect(first.stdout).toContain('    D <- B, C\n');
  expect(first.stdout).toMatch(/^A {2}succeeded {2}vm$/m);
  expect(first.stdout).toMatch(/from B\n.+\nfrom C\n.+\n/);
  expect(first.stdout).toContain('4 tasks, no directory left\n');
  const made = result();
  const again = await demo();
  expect(again.code).toBe(0);
  expect(result()).toBe(made);
  const tasks = await listed();
  const taken = tasks.slice(0, 4).map(({ reused }) => reused?.task);
  expect(new Set(taken)).toEqual(new Set(tasks.slice(4).map(({ id }) => id)));
  const starts = tasks.map(({ id }) => runtimeStarts(`${id}.1`));
  expect(starts).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect((await daemon.cli('show', tasks[0]?.id ?? '')).stdout).toMatch(/reused +not run: task/);
  expect((await attempts('vm', daemon.rootOn('vm'))).trim()).toBe('0');
});

test('a result that is gone is made again, of what is there', async () => {
  rmSync(join(daemon.dir, 'results'), { recursive: true });
  const ran = await daemon.cli(
    'workflow',
    'run',
    join(EXAMPLE, 'dataflow.yaml'),
    '--set',
    `results=${join(daemon.dir, 'results')}`,
  );
  expect(ran.code).toBe(0);
  expect(result()).toMatch(/^from B\n.+\nfrom C\n/);
  const tasks = (await listed()).slice(0, 4);
  expect(tasks.filter(({ reused }) => reused === undefined).map(({ name }) => name)).toEqual(['D']);
  expect(tasks[0]?.notReused).toContain('results/f3.txt is not what task');
});

test('on two hosts, the daemon and the run killed anywhere: run again it ends, nothing finished is run twice', async () => {
  const results = join(daemon.dir, 'two');
  const words = [
    'workflow',
    'run',
    join(EXAMPLE, 'dataflow.yaml'),
    '--no-reuse',
    '--set',
    'second=other',
    '--set',
    `results=${results}`,
  ];
  const before = (await listed()).length;
  const child = daemon.spawnCli(words);
  const ended = finished(child);
  const at = ['A', 'B', 'C'][Math.floor(Math.random() * 3)] ?? 'A';
  await until(async () => {
    const tasks = (await listed()).slice(0, -before);
    return tasks.some(
      ({ name, state }) => name === at && state !== 'waiting' && state !== 'queued',
    );
  });
  await daemon.kill('SIGKILL');
  child.kill('SIGKILL');
  await ended;
  await daemon.start();
  const again = await daemon.cli(...words);
  expect({ at, code: again.code, stderr: again.stderr }).toMatchObject({ code: 0 });
  expect(readFileSync(join(results, 'f3.txt'), 'utf8')).toMatch(/^from B\n.+\nfrom C\n.+\n$/);
  const tasks = (await listed()).slice(0, -before);
  expect(tasks.map(({ name }) => name)).toEqual(['D', 'C', 'B', 'A']);
  const ofVm = tasks.filter(({ name }) => name === 'A' || name === 'D');
  expect(ofVm.map(({ id }) => runtimeStarts(`${id}.1`))).toEqual([1, 1]);
  await until(async () => (await listed()).every(({ cleanup }) => cleanup.state !== 'pending'));
  for (const [host, at] of [
    ['vm', daemon.rootOn('vm')],
    ['vm2', daemon.rootOn('other')],
  ] as const) {
    expect((await attempts(host, at)).trim()).toBe('0');
  }
});
