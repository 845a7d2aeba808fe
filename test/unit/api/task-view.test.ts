/** Goal: a task is never told as finished before it started, whichever clocks told the two. */
import { expect, test } from 'vitest';
import { toTaskView } from '../../../src/api/task-view.ts';
import { taskPage } from '../../../src/cli/output/task-page.ts';
import { after, aTask, exitOf, LAUNCH, TO_RUNNING } from '../../support/builders.ts';

const USAGE = { wallMs: 1200, cpuUserMs: 900, cpuSystemMs: 100, maxRssBytes: 65_536 };
const streams = { bytes: 0, complete: true };

function timesOf(finishedAt: number): number[] {
  const exit = { ...exitOf(0), finishedAt };
  const task = after(aTask(), ...TO_RUNNING, { kind: 'exited', attempt: 1, exit });
  const view = toTaskView({ task, streams: { stdout: streams, stderr: streams } });
  return [view.startedAt, view.finishedAt].map((text) => Date.parse(text ?? ''));
}

test('row 28: an end that a clock set back tells for before the start is told at the start', () => {
  const { startedAt } = LAUNCH;
  expect(timesOf(startedAt + 5_000)).toEqual([startedAt, startedAt + 5_000]);
  expect(timesOf(startedAt - 600_000)).toEqual([startedAt, startedAt]);
});

test('what an attempt used is shown of the last and of each earlier one', () => {
  const exit = exitOf(3, { usage: USAGE });
  const retried = after(
    aTask({ retries: 1, retryOn: ['exit'] }),
    ...TO_RUNNING,
    { kind: 'exited', attempt: 1, exit },
    ...TO_RUNNING.map((event) => ({ ...event, attempt: 2 })),
    { kind: 'cancel-asked' },
    { kind: 'gone', attempt: 2, exit: exitOf(143, { usage: { ...USAGE, wallMs: 7 } }) },
  );
  const view = toTaskView({ task: retried, streams: { stdout: streams, stderr: streams } });
  expect(view).toMatchObject({
    state: 'cancelled',
    usage: { ...USAGE, wallMs: 7 },
    history: [{ attempt: 1, result: 'failed', host: 'vm', exitCode: 3, usage: USAGE }],
  });
  const page = taskPage(view, { now: 0, paint: (_, text) => text });
  expect(page).toContain(
    'earlier     attempt 1 failed on vm with code 3, TASK_EXIT_CODE; 1.20 s, processor 0.90 s user and 0.10 s system',
  );
  expect(page).toContain('used        0.01 s');
});

test('a failure is shown with its last words, escaped, and where the rest is', () => {
  const task = after(aTask(), ...TO_RUNNING, { kind: 'exited', attempt: 1, exit: exitOf(3) });
  const report = { task, streams: { stdout: streams, stderr: streams }, remoteDir: '/r/task1.1' };
  const view = toTaskView({ ...report, stderrTail: 'no such \u001b[2Jfile' });
  expect(view).toMatchObject({
    stderrTail: 'no such \u001b[2Jfile',
    logs: { paths: ['/r/task1.1/stdout', '/r/task1.1/stderr', '/r/task1.1/runtime.log'] },
  });
  const page = taskPage(view, { now: 0, paint: (_, text) => text });
  expect(page).toContain('last lines of stderr:\nno such \\x1b[2Jfile\n');
  expect(page).toContain('in full: towline logs task1, towline logs task1 --runtime\n');
  expect(page).toContain('log         vm:/r/task1.1/stderr\n');
  const fine = after(aTask(), ...TO_RUNNING, { kind: 'exited', attempt: 1, exit: exitOf(0) });
  expect(toTaskView({ ...report, task: fine })).not.toHaveProperty('logs');
});
