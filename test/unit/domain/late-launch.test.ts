/**
 * Goal: an attempt that an earlier, unheard launch may still start never ends before its ticket is
 * taken. Method: the ways out of launching, by hand (found by the simulator, test/simulation).
 */
import { expect, test } from 'vitest';
import { decide } from '../../../src/domain/decide.ts';
import type { TaskEvent } from '../../../src/domain/events.ts';
import { AppError } from '../../../src/domain/failure.ts';
import { after, aTask, IMAGE, TO_RUNNING } from '../../support/builders.ts';

const LAUNCHING = after(aTask(), ...TO_RUNNING.slice(0, 2));
const failure = new AppError('HOST_NO_SPACE', 'm').toRecord();
const FAILED: TaskEvent = { kind: 'step-failed', attempt: 1, failure };

test('a launch that is refused for good has the ticket taken before the task ends with its failure', () => {
  const decision = decide(LAUNCHING, FAILED, 5);
  expect(decision).toMatchObject({
    task: { state: { kind: 'cancelling', published: true, failure } },
    effects: [{ kind: 'cancel', attempt: 1 }],
  });
  const ended = after(LAUNCHING, FAILED, { kind: 'gone', attempt: 1 });
  expect(ended.state).toMatchObject({ kind: 'error', failure, cleanup: 'kept' });
});

test.each(['image-gone', 'inputs-gone'] as const)(
  'a cancel after %s asks the host, and so does a failure',
  (kind) => {
    const back = after(LAUNCHING, { kind, attempt: 1 });
    const cancelled = after(back, { kind: 'cancel-asked' });
    expect(cancelled.state).toMatchObject({ kind: 'cancelling', published: true });
    expect(after(back, FAILED).state).toMatchObject({ kind: 'cancelling', failure });
  },
);

test('it is remembered on the whole way back to the launch', () => {
  const staged: TaskEvent = { kind: 'staged', attempt: 1, inputs: { files: [] } };
  const back = after(LAUNCHING, { kind: 'inputs-gone', attempt: 1 }, staged);
  expect(after(back, { kind: 'cancel-asked' }).state).toMatchObject({ published: true });
  const again = after(back, { kind: 'image-ready', attempt: 1, image: IMAGE });
  expect(again.state).toMatchObject({ kind: 'launching', tried: true });
});

test('before any launch nothing is on the host, and nobody asks it', () => {
  const pulling = after(aTask(), ...TO_RUNNING.slice(0, 1));
  expect(after(pulling, { kind: 'cancel-asked' }).state).toMatchObject({ published: false });
  expect(after(pulling, FAILED).state).toMatchObject({ kind: 'error', cleanup: 'none' });
});
