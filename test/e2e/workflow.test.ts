/**
 * Goal: a workflow file runs as written, to its end and through whatever comes: failures, Ctrl-C, a daemon
 * that is killed. Method: the built CLI and daemon against the bed; payloads wait for a file.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { finished, makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

const WAIT = 'until [ -e go ]; do sleep 0.05; done';

function write(name: string, tasks: Record<string, object>): string {
  const file = `${name}.json`;
  const defaults = { image: MINI, host: 'vm' };
  writeFileSync(join(daemon.dir, file), JSON.stringify({ name, defaults, tasks }));
  return file;
}

const sh = (text: string, ...after: string[]) => ({ command: ['sh', '-c', text], after });

/** The tasks of a workflow by name, as the daemon has them. */
async function tasksOf(name: string) {
  const { stdout } = await daemon.cli('list', '--json', '--all', '--tag', `workflow=${name}`);
  const { tasks } = JSON.parse(stdout) as {
    tasks: { id: string; name: string; state: string; failure?: { code: string } }[];
  };
  return new Map(tasks.map((task) => [task.name, task]));
}

async function standAs(workflow: string, states: Record<string, string>): Promise<void> {
  await until(
    async () => {
      const tasks = await tasksOf(workflow);
      return Object.entries(states).every(([name, state]) => tasks.get(name)?.state === state);
    },
    () => `${workflow}: ${JSON.stringify(states)}`,
  );
}

async function letGo(workflow: string, task: string): Promise<void> {
  const id = (await tasksOf(workflow)).get(task)?.id ?? '';
  await until(async () => (await daemon.cli('exec', '-n', id, '--', 'touch', 'go')).code === 0);
}

function started(
  file: string,
  ...options: string[]
): { child: ChildProcess; ended: ReturnType<typeof finished> } {
  const child = daemon.spawnCli(['workflow', 'run', file, ...options]);
  return { child, ended: finished(child) };
}

test('scattered tasks and one after them run, over a daemon that is killed; a change is a line', async () => {
  writeFileSync(join(daemon.dir, 'words.txt'), 'one two\n');
  const file = write('spread', {
    part: {
      command: [
        'sh',
        '-c',
        `${WAIT}; cat "$1" /mnt/task/inputs/words.txt > out.txt`,
        'sh',
        '/dev/null',
      ],
      inputs: ['words.txt'],
      outputs: [`out.txt:parts/\${item}`],
      scatter: { over: ['left', 'right'], as: 'item' },
    },
    join: { ...sh('echo joined', 'part'), tags: { kind: 'last' } },
  });
  const { ended } = started(file);
  await standAs('spread', { 'part.0': 'running', 'part.1': 'running', join: 'waiting' });
  await daemon.kill('SIGKILL');
  await daemon.start();
  await Promise.all([letGo('spread', 'part.0'), letGo('spread', 'part.1')]);
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain(
    'towline: the daemon went away; waiting for it\ntowline: the daemon is back\n',
  );
  const lines = stdout.split('\n');
  const order = [
    'part.0  running  vm',
    'part.0  succeeded  vm',
    'join  running  vm',
    'join  succeeded  vm',
  ];
  expect(order.map((line) => lines.indexOf(line))).toEqual(
    order.map((line) => lines.indexOf(line)).sort((a, b) => a - b),
  );
  expect(lines).toEqual(expect.arrayContaining(['join  waiting  -', ...order]));
  expect(readFileSync(join(daemon.dir, 'parts/right'), 'utf8')).toBe('one two\n');
  expect(stderr).toContain('towline: 3 tasks: 3 succeeded\n');
});

test('a failure: what waits for it says so, the rest goes on; exit 3 and each is named', async () => {
  const file = write('broken', {
    bad: sh('exit 4'),
    never: sh('true', 'bad'),
    other: sh('echo other'),
  });
  const { code, stderr } = await daemon.cli('workflow', 'run', file);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^bad \(\w+\): TASK_EXIT_CODE: .*\nhint: see its output: towline logs \w+$/m,
  );
  expect(stderr).toMatch(/^never \(\w+\): TASK_PREDECESSOR_FAILED: .*\nhint: see the other task/m);
  expect(stderr).toContain('3 tasks: 1 succeeded, 1 failed, 1 error');
});

test('--fail fast: the first failure cancels what runs', async () => {
  const file = write('fast', { bad: sh('exit 4'), long: sh(WAIT), later: sh('true', 'long') });
  const { code, stderr } = await daemon.cli('workflow', 'run', file, '--fail', 'fast');
  expect(code).toBe(3);
  const tasks = await tasksOf('fast');
  const states = Object.fromEntries([...tasks].map(([name, { state }]) => [name, state]));
  expect(states).toEqual({ bad: 'failed', later: 'cancelled', long: 'cancelled' });
  expect(stderr).toMatch(/^long \(\w+\): cancelled$/m);
});

test('Ctrl-C once: nothing new starts and what runs goes on; twice: all is cancelled; 130', async () => {
  const chain = { second: sh('true', 'first'), third: sh('true', 'second') };
  const once = started(write('once', { first: sh(`${WAIT}; echo once`), ...chain }));
  await standAs('once', { first: 'running', third: 'waiting' });
  once.child.kill('SIGINT');
  await standAs('once', { first: 'running', second: 'cancelled', third: 'cancelled' });
  await letGo('once', 'first');
  const end = await once.ended;
  expect(end.code).toBe(130);
  expect(end.stderr).toContain('2 tasks that have not started are cancelled');
  expect(end.stdout).toContain('first  succeeded  vm\n');

  const twice = started(write('twice', { first: sh(`${WAIT}; echo twice`), ...chain }));
  await standAs('twice', { first: 'running', third: 'waiting' });
  twice.child.kill('SIGINT');
  await standAs('twice', { second: 'cancelled' });
  twice.child.kill('SIGINT');
  expect((await twice.ended).code).toBe(130);
  expect([...(await tasksOf('twice')).values()].map(({ state }) => state)).toEqual(
    Array(3).fill('cancelled'),
  );
});
