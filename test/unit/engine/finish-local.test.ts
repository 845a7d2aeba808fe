/**
 * Goal: the command for the end of a task is run when the task has ended for good, also when the daemon goes meanwhile,
 * and the task knows what became of it. Method: the whole engine on this machine.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toTaskView } from '../../../src/api/task-view.ts';
import { taskPage } from '../../../src/cli/output/task-page.ts';
import type { EndedState } from '../../../src/domain/state.ts';
import { type LocalEngine, startLocalEngine } from '../../support/local-engine.ts';
import { until } from '../../support/until.ts';

/** What `towline show` tells of the command of a task. */
async function told({ engine }: LocalEngine, id: string) {
  return toTaskView(await engine.service.get(id)).onFinish;
}

async function eventsOf({ engine }: LocalEngine, id: string) {
  const { signal } = new AbortController();
  const found = [];
  for await (const event of engine.service.events({ since: 0, follow: false, task: id, signal }))
    if (event.type === 'event') found.push(event);
  return found;
}

test('it is run once, after the last attempt, and told in an event', async () => {
  const house = await startLocalEngine();
  const log = join(house.dir, 'log');
  const onFinish = `read -r task; echo "$TOWLINE_TASK_ID $TOWLINE_STATE $TOWLINE_EXIT_CODE $TOWLINE_ATTEMPT \${#task}" >>'${log}'`;
  const more = { retries: 1, retryOn: ['exit' as const], onFinish };
  const { id } = await house.submit('sleep 0.3; exit 4', more);
  expect(await told(house, id)).toEqual({ command: onFinish, state: 'waiting' });
  await house.ended(id);
  await until(async () => (await told(house, id))?.state === 'done');
  const [line = '', ...others] = await house.lines('log');
  expect(others).toEqual([]);
  expect(line).toMatch(new RegExp(`^${id} failed 4 2 \\d{3,}$`));
  const events = await eventsOf(house, id);
  expect(events.filter(({ kind }) => kind === 'hook-ended')).toMatchObject([
    { attempt: 2, state: 'failed', data: { hook: { code: 0 } } },
  ]);
  await until(async () => (await house.store.loadLive()).tasks.length === 0);
});

test('one that fails is told with its words and changes nothing about the task', async () => {
  const house = await startLocalEngine();
  const { id } = await house.submit('true', { onFinish: 'echo cannot >&2; exit 6' });
  await house.ended(id);
  await until(async () => (await told(house, id))?.state === 'failed');
  const report = await house.engine.service.get(id);
  const { kind, attempt, exit } = report.task.state as EndedState;
  expect({ kind, attempt, code: exit?.code }).toEqual({ kind: 'succeeded', attempt: 1, code: 0 });
  const page = taskPage(toTaskView(report), { now: 0, paint: (_, text) => text });
  expect(page).toContain('on finish   echo cannot >&2; exit 6\n');
  expect(page).toMatch(/failed after .*\nwhy {9}TASK_HOOK_FAILED: .* ended with code 6: cannot\n/);
});

test('a task that is cancelled in the queue has ended, too', async () => {
  const house = await startLocalEngine();
  const { id } = await house.submit('true', {
    held: true,
    onFinish: '[ "$TOWLINE_STATE" = cancelled ]',
  });
  await house.engine.service.cancel(id);
  await until(async () => (await told(house, id))?.state === 'done');
});

test('a daemon that goes while it runs has the next one run it again', async () => {
  const house = await startLocalEngine();
  const onFinish = `echo run >>'${join(house.dir, 'runs')}'; [ $(wc -l <'${join(house.dir, 'runs')}') -ge 2 ] || sleep 300`;
  const { id } = await house.submit('true', { onFinish });
  await house.ended(id);
  // not before the line is in the file: an end between the two would have the next run be the first
  await until(async () => (await house.lines('runs').catch(() => []))[0] === 'run');
  expect(await told(house, id)).toMatchObject({ state: 'pending' });
  await house.restart();
  await until(async () => (await told(house, id))?.state === 'done');
  expect(await house.lines('runs')).toHaveLength(2);
});
