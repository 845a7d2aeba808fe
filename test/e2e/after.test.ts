/**
 * Goal: a task starts when those it waits for have succeeded, never before, and never when one has not;
 * over a daemon that is killed, too. Method: the built CLI and daemon; payloads wait for a file or tell
 * their order in their output.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

const sh = (...[options, text]: [string[], string]) =>
  daemon.submit(...options, '--host', 'vm', MINI, '--', 'sh', '-c', text);
const waitFor = 'until [ -e go ]; do sleep 0.05; done';
const letGo = (id: string) => daemon.cli('exec', '-n', id, '--', 'touch', 'go');

test('a chain goes on one after the other, over a daemon that is killed', async () => {
  const first = await sh([], waitFor);
  const second = await sh(['--after', first.slice(0, 6)], 'echo second');
  const third = await sh(['--after', first, '--after', second], 'echo third');
  const held = await sh(['--after', third, '--hold'], 'echo held');
  expect((await daemon.cli('list')).stdout).toMatch(new RegExp(`${second} .*after ${first}`));
  expect((await daemon.cli('show', third)).stdout).toContain(`for ${first}, ${second} to succeed`);
  await until(async () => (await daemon.show(first)).state === 'running');
  await daemon.kill('SIGKILL');
  await daemon.start();
  expect((await daemon.show(second)).state).toBe('waiting');
  expect((await daemon.cli('release', held)).code).toBe(0);
  expect((await daemon.show(held)).state).toBe('waiting');
  await until(async () => (await letGo(first)).code === 0);
  expect((await daemon.cli('wait', first, second, third, held)).code).toBe(0);
  const late = await sh(['--after', held], 'echo late');
  expect((await daemon.cli('wait', late)).stdout).toBe(`${late} succeeded 0\n`);
});

test('after a failure none of those that wait starts, all say why; retried, they run', async () => {
  const once = 'case $TOWLINE_ATTEMPT in *.1) exit 3 ;; esac';
  const first = await sh([], once);
  const second = await sh(['--after', first], 'echo second');
  const third = await sh(['--after', second], 'echo third');
  expect((await daemon.cli('wait', third)).code).toBe(3);
  for (const [id, other] of [
    [second, first],
    [third, second],
  ] as const) {
    const { state, failure, host } = await daemon.show(id);
    expect({ state, host }).toEqual({ state: 'error', host: undefined });
    expect(failure).toMatchObject({ code: 'TASK_PREDECESSOR_FAILED' });
    expect(failure?.message).toContain(other);
    expect(failure?.hint).toContain(`towline show ${other}`);
  }
  for (const id of [first, second, third]) await daemon.cli('retry', id);
  expect((await daemon.cli('wait', first, second, third)).code).toBe(0);
  const cancelled = await sh([], waitFor);
  const dependant = await sh(['--after', cancelled], 'true');
  await daemon.cli('cancel', cancelled);
  await daemon.cli('wait', dependant);
  expect((await daemon.show(dependant)).failure?.code).toBe('TASK_PREDECESSOR_FAILED');
});

test('tasks of one submission wait for each other by name; what cannot be is refused whole', async () => {
  const file = join(daemon.dir, 'chain.json');
  const task = (name: string, ...after: string[]) => ({
    ...{ name, after, host: 'vm', image: MINI },
    command: ['echo', name],
  });
  writeFileSync(file, JSON.stringify([task('last', 'left', 'right'), task('left'), task('right')]));
  const ids = (await daemon.submit('--file', file)).split('\n');
  expect((await daemon.cli('wait', ...ids)).code).toBe(0);
  writeFileSync(file, JSON.stringify([task('a', 'b'), task('b', 'a')]));
  const circle = await daemon.cli('submit', '--file', file);
  expect(circle.code).toBe(2);
  expect(circle.stderr).toContain('TASK_INVALID: after: a waits for b waits for a');
  const unknown = await daemon.cli('submit', '--after', 'zzzzzzzzzzzz', MINI, '--', 'true');
  expect(unknown.code).toBe(11);
  expect(unknown.stderr).toContain('TASK_NOT_FOUND');
});
