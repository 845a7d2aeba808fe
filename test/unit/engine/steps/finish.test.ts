/**
 * Goal: the user's command for the end of a task gets the task as it ended, and nothing that becomes of it is lost or
 * does harm. Method: real commands, a report of a task that has ended.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskEvent } from '../../../../src/domain/events.ts';
import type { HookEnd } from '../../../../src/domain/state.ts';
import type { TaskSpec } from '../../../../src/domain/task.ts';
import type { TaskReport } from '../../../../src/engine/service.ts';
import { createFinish } from '../../../../src/engine/steps/finish.ts';
import { exitOf, TO_RUNNING } from '../../../support/builders.ts';
import { someSettings, temporaryDirectory } from '../../../support/engine-parts.ts';
import { until } from '../../../support/until.ts';
import { contextOf } from './context.ts';

const FAILED: TaskEvent = { kind: 'exited', attempt: 1, exit: exitOf(7) };

function finish(
  onFinish: string,
  {
    spec = {},
    limits = {},
    events = [FAILED],
  }: {
    spec?: Partial<TaskSpec>;
    limits?: { hookMs?: number; hooks?: number };
    events?: TaskEvent[];
  } = {},
) {
  const { context, controller } = contextOf({ onFinish, ...spec }, ...TO_RUNNING, ...events);
  const settings = someSettings([]);
  const step = createFinish({
    settings: () => ({ ...settings, limits: { ...settings.limits, ...limits } }),
    report: async () => ({ task: context.task }) as TaskReport,
    shown: ({ task }) => ({ id: task.id, of: 'the task' }),
    now: () => 5,
  });
  const run = async (): Promise<HookEnd> => {
    const news = await step(context);
    if (news.kind !== 'hook-ended') throw new Error(news.kind);
    return news.hook;
  };
  return { run, controller };
}

test('it has the task on its stdin, what matters in its environment, and is no word of any argument list', async () => {
  const dir = await temporaryDirectory();
  const out = join(dir, "it's out");
  const spec = { name: 'a $(name)' };
  const text = `{ cat; env | grep ^TOWLINE_ | sort; pwd; tr '\\0' ' ' </proc/$$/cmdline; } >"$OUT"; exit 0 # '"`;
  process.env['OUT'] = out;
  const hook = await finish(text, { spec }).run();
  delete process.env['OUT'];
  expect(hook).toMatchObject({ at: 5, code: 0 });
  expect(hook.failure).toBeUndefined();
  const said = await readFile(out, 'utf8');
  const lines = said.split('\n');
  expect(JSON.parse(lines[0] ?? '')).toEqual({ id: 'task1', of: 'the task' });
  expect(lines.filter((line) => !line.startsWith('TOWLINE_UMASK'))).toEqual(
    expect.arrayContaining([
      'TOWLINE_ATTEMPT=1',
      'TOWLINE_ERROR_CODE=TASK_EXIT_CODE',
      'TOWLINE_EXIT_CODE=7',
      'TOWLINE_HOST=vm',
      'TOWLINE_STATE=failed',
      'TOWLINE_TASK_ID=task1',
      'TOWLINE_TASK_NAME=a $(name)',
      homedir(),
    ]),
  );
  expect(said).not.toContain('TOWLINE_HOOK=');
  expect(said).not.toContain('grep');
});

test.each([
  ['echo spoken; echo bad >&2; exit 3', { code: 3 }, 'ended with code 3: spoken'],
  ['kill -9 $$', { code: 137 }, 'ended with code 137'],
  ['no-such-command-anywhere', { code: 127 }, 'no-such-command-anywhere'],
  ['if', { code: 2 }, 'ended with code 2'],
])('a command that fails is TASK_HOOK_FAILED with its last words: %s', async (text, end, why) => {
  const hook = await finish(text).run();
  expect(hook).toMatchObject({ ...end, failure: { code: 'TASK_HOOK_FAILED' } });
  expect(hook.failure?.message).toContain(why);
});

test('one that cannot be started is told as such', async () => {
  const hook = await finish(`: ${'x'.repeat(300_000)}`).run();
  expect(hook.code).toBeUndefined();
  expect(hook.failure).toMatchObject({
    code: 'TASK_HOOK_FAILED',
    message: expect.stringMatching(/could not be started: .*E2BIG/),
  });
});

test('one that does not read its stdin, or leaves a child with its outputs, has ended all the same', async () => {
  expect(await finish('exit 0').run()).toMatchObject({ code: 0 });
  const hook = await finish('sleep 20 & echo done').run();
  expect(hook).toMatchObject({ code: 0 });
  expect(hook.ms).toBeLessThan(10_000);
});

test('one that takes too long is ended with all that it started', async () => {
  const dir = await temporaryDirectory();
  const text = `trap '' TERM; sleep 300 & echo $! >'${dir}/pid'; wait; sleep 300`;
  const hook = await finish(text, { limits: { hookMs: 2_000 } }).run();
  expect(hook.failure?.message).toContain('hook_time');
  const pid = (await readFile(join(dir, 'pid'), 'utf8')).trim();
  await until(() => !existsSync(`/proc/${pid}`));
});

test('of several only so many run at once', async () => {
  const dir = await temporaryDirectory();
  // each waits for company that must not come
  const text = `mkdir '${dir}/one' || exit 9; sleep 0.2; rmdir '${dir}/one'`;
  const { run } = finish(text, { limits: { hooks: 1 } });
  const hooks = await Promise.all([run(), run(), run()]);
  expect(hooks.map(({ code }) => code)).toEqual([0, 0, 0]);
});

test('a task that was given another attempt before is passed over', async () => {
  const dir = await temporaryDirectory();
  const { run } = finish(`touch '${dir}/ran'`, { events: [FAILED, { kind: 'retry-asked' }] });
  expect(await run()).toEqual({ at: 5, ms: 0, passedOver: true });
  expect(existsSync(join(dir, 'ran'))).toBe(false);
});

test('a daemon that stops ends it and says nothing: the order stands for the next one', async () => {
  const dir = await temporaryDirectory();
  const { run, controller } = finish(`echo $$ >'${dir}/pid'; sleep 300`);
  const news = run();
  await until(() => existsSync(join(dir, 'pid')));
  controller.abort(new Error('the daemon is stopping'));
  await expect(news).rejects.toThrow('stopping');
});
