/**
 * Goal: the behaviour of a task, event by event. Method: real events on a small task; the state, its
 * data and the orders are looked at.
 */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/domain/decide.ts';
import type { TaskEvent } from '../../../src/domain/events.ts';
import { AppError } from '../../../src/domain/failure.ts';
import type { TaskState } from '../../../src/domain/state.ts';
import type { Task } from '../../../src/domain/task.ts';
import { after, aTask, exitOf, IMAGE, LAUNCH, TO_RUNNING } from '../../support/builders.ts';

const OUTPUT = { pattern: 'a', local: '/a', overwrite: false };
const FAILURE = new AppError('IMAGE_MANIFEST_UNKNOWN', 'no such tag').toRecord();

function next(task: Task, event: TaskEvent) {
  const decision = decide(task, event, 100);
  if (decision.kind !== 'next') throw new Error(`${decision.kind}: ${decision.why}`);
  return decision;
}

describe('the forward way', () => {
  test('a task with nothing to stage goes from its slot straight to its image', () => {
    const decision = next(aTask(), { kind: 'placed', attempt: 1, host: 'vm' });
    expect(decision.task.state).toMatchObject({
      kind: 'pulling',
      host: 'vm',
      inputs: { files: [] },
    });
    expect(decision.effects).toEqual([{ kind: 'pull', attempt: 1 }]);
  });

  test('a task with standard input only is staged all the same', () => {
    const stdin = { kind: 'content' as const, base64: '' };
    const decision = next(aTask({ stdin }), { kind: 'placed', attempt: 1, host: 'vm' });
    expect(decision.task.state.kind).toBe('staging');
  });

  test('an image that vanished before the launch is pulled again, with the same attempt', () => {
    const launching = after(aTask(), ...TO_RUNNING.slice(0, 2));
    const decision = next(launching, { kind: 'image-gone', attempt: 1 });
    expect(decision.task.state).toMatchObject({ kind: 'pulling', attempt: 1 });
  });

  test('a running task is watched and carries what its supervisor wrote', () => {
    const decision = next(after(aTask(), ...TO_RUNNING.slice(0, 2)), {
      kind: 'launched',
      attempt: 1,
      launch: LAUNCH,
    });
    expect(decision.task.state).toMatchObject({ kind: 'running', launch: LAUNCH, image: IMAGE });
    expect(decision.effects).toEqual([{ kind: 'watch', attempt: 1 }]);
  });
});

describe('the end', () => {
  test.each([
    [0, [0], 'succeeded'],
    [42, [0], 'failed'],
    [42, [0, 42], 'succeeded'],
    [255, [0], 'failed'],
    [137, [0], 'failed'],
  ])('exit code %i with %j accepted is %s', (code, acceptExit, kind) => {
    const running = after(aTask({ acceptExit }), ...TO_RUNNING);
    const { state } = next(running, { kind: 'exited', attempt: 1, exit: exitOf(code) }).task;
    expect(state).toMatchObject({ kind, exit: { code } });
  });

  test.each([
    ['time', 'TASK_TIME_LIMIT'],
    ['stdout', 'TASK_OUTPUT_LIMIT'],
    ['memory', 'TASK_OUT_OF_MEMORY'],
  ] as const)('the limit %s says %s whatever the code', (limit, code) => {
    const running = after(aTask(), ...TO_RUNNING);
    const exit = exitOf(0, { limit });
    const { state } = next(running, { kind: 'exited', attempt: 1, exit }).task;
    expect(state).toMatchObject({ kind: 'failed', failure: { code } });
  });

  test('outputs are fetched before the verdict, also when the command failed', () => {
    const running = after(aTask({ outputs: [OUTPUT] }), ...TO_RUNNING);
    const decision = next(running, { kind: 'exited', attempt: 1, exit: exitOf(3) });
    expect(decision.task.state.kind).toBe('collecting');
    expect(decision.effects).toEqual([{ kind: 'collect', attempt: 1 }]);
    const { state } = next(decision.task, { kind: 'collected', attempt: 1, outputs: [] }).task;
    expect(state).toMatchObject({ kind: 'failed', failure: { code: 'TASK_EXIT_CODE' } });
  });

  test('a missing output is the failure of the task, other trouble is an error', () => {
    const collecting = after(aTask({ outputs: [OUTPUT] }), ...TO_RUNNING, {
      kind: 'exited',
      attempt: 1,
      exit: exitOf(0),
    });
    const missing = new AppError('OUTPUT_MISSING', 'not there').toRecord();
    const other = new AppError('OUTPUT_EXISTS', 'in the way').toRecord();
    const kindAfter = (failure: typeof missing) =>
      next(collecting, { kind: 'step-failed', attempt: 1, failure }).task.state;
    expect(kindAfter(missing)).toMatchObject({
      kind: 'failed',
      exit: { code: 0 },
      cleanup: 'kept',
    });
    expect(kindAfter(other)).toMatchObject({ kind: 'error', exit: { code: 0 } });
  });

  test.each([
    ['on-success', 0, 'pending', 1],
    ['on-success', 1, 'kept', 0],
    ['always', 1, 'pending', 1],
    ['never', 0, 'kept', 0],
  ] as const)(
    'cleanup %s after code %i leaves the directory %s',
    (cleanup, code, state, orders) => {
      const running = after(aTask({ cleanup }), ...TO_RUNNING);
      const decision = next(running, { kind: 'exited', attempt: 1, exit: exitOf(code) });
      expect(decision.task.state).toMatchObject({ cleanup: state });
      expect(decision.effects).toHaveLength(orders);
    },
  );

  test('a task that never reached its host has nothing to clean', () => {
    const pulling = after(aTask({ cleanup: 'always' }), { kind: 'placed', attempt: 1, host: 'vm' });
    const decision = next(pulling, { kind: 'step-failed', attempt: 1, failure: FAILURE });
    expect(decision.task.state).toMatchObject({ kind: 'error', cleanup: 'none' });
    expect(decision.effects).toEqual([]);
  });
});

describe('cancel', () => {
  test('a queued task is cancelled at once', () => {
    const decision = next(aTask(), { kind: 'cancel-asked' });
    expect(decision.task.state).toMatchObject({ kind: 'cancelled', cleanup: 'none' });
  });

  test.each([
    [1, false],
    [2, true],
    [3, true],
  ])('after %i steps the attempt may be on the host: %s', (steps, published) => {
    const task = after(aTask(), ...TO_RUNNING.slice(0, steps));
    const decision = next(task, { kind: 'cancel-asked' });
    expect(decision.task.state).toMatchObject({ kind: 'cancelling', published });
    expect(decision.effects).toEqual([{ kind: 'cancel', attempt: 1 }]);
  });

  test('a cancelled task ends only when nothing is left of it', () => {
    const cancelling = after(aTask(), ...TO_RUNNING, { kind: 'cancel-asked' });
    const late = decide(cancelling, { kind: 'exited', attempt: 1, exit: exitOf(0) }, 1);
    expect(late.kind).toBe('ignored');
    const { state } = next(cancelling, { kind: 'gone', attempt: 1, exit: exitOf(143) }).task;
    expect(state).toMatchObject({ kind: 'cancelled', exit: { code: 143 } });
  });

  test('an ended task refuses, a cancelled one does not mind', () => {
    const done = after(aTask(), ...TO_RUNNING, { kind: 'exited', attempt: 1, exit: exitOf(0) });
    expect(decide(done, { kind: 'cancel-asked' }, 1).kind).toBe('refused');
    const cancelled = after(aTask(), { kind: 'cancel-asked' });
    expect(decide(cancelled, { kind: 'cancel-asked' }, 1).kind).toBe('ignored');
  });
});

describe('attempts', () => {
  const POLICY = { retries: 1, retryOn: ['exit', 'interrupted'] as ('exit' | 'interrupted')[] };

  test('a failed command gets its next attempt by policy, and no more than that', () => {
    const once = after(aTask(POLICY), ...TO_RUNNING, {
      kind: 'exited',
      attempt: 1,
      exit: exitOf(1),
    });
    expect(once.state).toMatchObject({ kind: 'queued', attempt: 2 });
    expect(once.history).toMatchObject([
      { attempt: 1, host: 'vm', result: 'failed', cleanup: 'kept' },
    ]);
    const second = TO_RUNNING.map((event) => ({ ...event, attempt: 2 }));
    const twice = after(once, ...second, { kind: 'exited', attempt: 2, exit: exitOf(1) });
    expect(twice.state).toMatchObject({ kind: 'failed', attempt: 2 });
  });

  test('trouble of the host or of Towline never uses up a retry', () => {
    const running = after(aTask(POLICY), ...TO_RUNNING);
    const { state } = next(running, { kind: 'step-failed', attempt: 1, failure: FAILURE }).task;
    expect(state).toMatchObject({ kind: 'error', attempt: 1 });
  });

  test('an interrupted attempt is run again only if asked for', () => {
    const died: TaskEvent = { kind: 'died', attempt: 1, failure: FAILURE };
    expect(next(after(aTask(), ...TO_RUNNING), died).task.state.kind).toBe('interrupted');
    expect(next(after(aTask(POLICY), ...TO_RUNNING), died).task.state.kind).toBe('queued');
  });

  test('news of an older attempt changes nothing but its cleaning', () => {
    const again = after(aTask({ ...POLICY, cleanup: 'always' }), ...TO_RUNNING, {
      kind: 'exited',
      attempt: 1,
      exit: exitOf(1),
    });
    expect(decide(again, { kind: 'exited', attempt: 1, exit: exitOf(0) }, 1).kind).toBe('ignored');
    const cleaned = next(again, { kind: 'cleaned', attempt: 1 });
    expect(cleaned.task.history).toMatchObject([{ attempt: 1, cleanup: 'done' }]);
    expect(cleaned.task.state).toEqual(again.state);
  });

  test('retry of an ended task keeps what was and what is kept for gc', () => {
    const failed = after(aTask(), ...TO_RUNNING, { kind: 'exited', attempt: 1, exit: exitOf(1) });
    const again = after(failed, { kind: 'retry-asked' });
    expect(again.state).toMatchObject({ kind: 'queued', attempt: 2 });
    const gone = after(again, { kind: 'cancel-asked' });
    const gc = next(gone, { kind: 'gc-asked' });
    expect(gc.effects).toEqual([{ kind: 'clean', attempt: 1 }]);
  });
});

describe('waiting', () => {
  test('trouble is told once, with the time it began, and is gone with the next step', () => {
    const pulling = after(aTask(), { kind: 'placed', attempt: 1, host: 'vm' });
    const blocked = {
      host: 'vm',
      reason: 'SSH_HOST_UNREACHABLE',
      message: 'm',
      hint: 'h',
      since: 5,
    };
    const told = after(pulling, { kind: 'blocked', attempt: 1, blocked });
    const again: TaskEvent = { kind: 'blocked', attempt: 1, blocked: { ...blocked, since: 9 } };
    expect(decide(told, again, 1)).toMatchObject({ kind: 'ignored' });
    expect(told.state).toMatchObject({ blocked: { since: 5 } });
    const on = after(told, { kind: 'image-ready', attempt: 1, image: IMAGE });
    expect(on.state).not.toHaveProperty('blocked');
  });

  test('a held task waits for its release', () => {
    const held = after(aTask(), { kind: 'hold-asked' });
    expect(decide(held, { kind: 'placed', attempt: 1, host: 'vm' }, 1).kind).toBe('ignored');
    expect(after(held, { kind: 'released' }).state.kind).toBe('queued');
  });

  test('a task that waits for others does so again after hold, release and retry', () => {
    const first = aTask({}, 'first').id;
    const waits = { after: [first] };
    const waiting: TaskState = { kind: 'waiting', attempt: 1, since: 0, on: [first] };
    const held = after({ ...aTask(waits), state: waiting }, { kind: 'hold-asked' });
    expect(held.state.kind).toBe('held');
    expect(after(held, { kind: 'released' }).state).toMatchObject({ kind: 'waiting', on: [first] });
    const ended = after(
      { ...aTask(waits), state: waiting },
      { kind: 'predecessor-ended', id: first, succeeded: false },
    );
    const again = { kind: 'waiting', attempt: 2, on: [first] };
    expect(after(ended, { kind: 'retry-asked' }).state).toMatchObject(again);
  });

  test('a task whose predecessor failed never starts and says why', () => {
    const first = aTask({}, 'first').id;
    const waiting: Task = {
      ...aTask(),
      state: { kind: 'waiting', attempt: 1, since: 0, on: [first] },
    };
    const failed = next(waiting, { kind: 'predecessor-ended', id: first, succeeded: false });
    expect(failed.task.state).toMatchObject({ failure: { code: 'TASK_PREDECESSOR_FAILED' } });
    const done = next(waiting, { kind: 'predecessor-ended', id: first, succeeded: true });
    expect(done.task.state.kind).toBe('queued');
  });
});
