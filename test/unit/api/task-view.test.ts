/** Goal: a task is never told as finished before it started, whichever clocks told the two. */
import { expect, test } from 'vitest';
import { toTaskView } from '../../../src/api/task-view.ts';
import { after, aTask, exitOf, LAUNCH, TO_RUNNING } from '../../support/builders.ts';

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
