/**
 * Goal: no history of events, however wild, breaks what the house promises of a task. Method: random
 * events on random tasks, invariants after every step.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from '../../src/domain/decide.ts';
import type { Effect } from '../../src/domain/effects.ts';
import type { TaskEvent } from '../../src/domain/events.ts';
import { AppError } from '../../src/domain/failure.ts';
import { isEnded } from '../../src/domain/state.ts';
import type { Task, TaskSpec } from '../../src/domain/task.ts';
import { aTask, exitOf, IMAGE, LAUNCH } from '../support/builders.ts';

const failure = new AppError('IMAGE_PULL_FAILED', 'm').toRecord();
const attempt = fc.integer({ min: 1, max: 3 });
const exit = fc.integer({ min: 0, max: 2 }).map((code) => exitOf(code));

const event: fc.Arbitrary<TaskEvent> = fc.oneof(
  fc.constantFrom<TaskEvent[]>(
    { kind: 'cancel-asked' },
    { kind: 'retry-asked' },
    { kind: 'hold-asked' },
    { kind: 'released' },
    { kind: 'gc-asked' },
  ),
  fc.record({ kind: fc.constant('placed'), attempt, host: fc.constant('vm') }),
  fc.record({ kind: fc.constant('staged'), attempt, inputs: fc.constant({ files: [] }) }),
  fc.record({ kind: fc.constant('image-ready'), attempt, image: fc.constant(IMAGE) }),
  fc.record({
    kind: fc.constantFrom('image-gone', 'inputs-gone', 'cleaned', 'unblocked'),
    attempt,
  }),
  fc.record({ kind: fc.constant('launched'), attempt, launch: fc.constant(LAUNCH) }),
  fc.record({ kind: fc.constant('exited'), attempt, exit }),
  fc.record({
    kind: fc.constantFrom('died', 'step-failed'),
    attempt,
    failure: fc.constant(failure),
  }),
  fc.record({ kind: fc.constant('collected'), attempt, outputs: fc.constant([]) }),
  fc.record({ kind: fc.constant('gone'), attempt }),
  fc.record({ kind: fc.constant('hook-ended'), attempt, hook: fc.constant({ at: 0, ms: 1 }) }),
) as fc.Arbitrary<TaskEvent>;

const spec: fc.Arbitrary<Partial<TaskSpec>> = fc.record({
  retries: fc.integer({ min: 0, max: 2 }),
  retryOn: fc.constantFrom<TaskSpec['retryOn'][]>([], ['exit'], ['exit', 'interrupted']),
  cleanup: fc.constantFrom('always', 'on-success', 'never'),
  onFinish: fc.constantFrom(undefined, 'true'),
  outputs: fc.constantFrom([], [{ pattern: 'a', local: '/a', overwrite: false }]),
});

/** What a state must have ordered, so that nothing ever waits for an order nobody gave. */
const ORDER: Partial<Record<Task['state']['kind'], Effect['kind']>> = {
  staging: 'stage',
  pulling: 'pull',
  launching: 'launch',
  running: 'watch',
  collecting: 'collect',
  cancelling: 'cancel',
};

function checkStep(before: Task, next: Task, effects: Effect[] | 'same'): void {
  const { state } = next;
  expect(state.attempt).toBeGreaterThanOrEqual(before.state.attempt);
  expect(next.history.length).toBe(state.attempt - 1);
  if (effects !== 'same') {
    const order = ORDER[state.kind];
    if (order !== undefined) expect(effects).toEqual([{ kind: order, attempt: state.attempt }]);
    else expect(effects.every(({ kind }) => ['clean', 'finish'].includes(kind))).toBe(true);
  }
  // once for each end of the task, and for no end of an attempt that another one follows
  const ends = isEnded(state) && !isEnded(before.state) && next.spec.onFinish !== undefined;
  const hooks = effects === 'same' ? [] : effects.filter(({ kind }) => kind === 'finish');
  expect(hooks).toEqual(ends ? [{ kind: 'finish', attempt: state.attempt }] : []);
  if (isEnded(state) && state.cleanup === 'pending' && effects !== 'same') {
    expect(effects).toContainEqual({ kind: 'clean', attempt: state.attempt });
  }
}

test('a history of any events keeps every promise about states, attempts and orders', () => {
  fc.assert(
    fc.property(spec, fc.array(event, { maxLength: 60 }), (more, events) => {
      let task = aTask(more);
      for (const happened of events) {
        const decision = decide(task, happened, task.version);
        if (decision.kind !== 'next') continue;
        checkStep(task, decision.task, decision.effects);
        task = { ...decision.task, version: task.version + 1 };
      }
    }),
    { numRuns: 2_000 },
  );
});

test('after the launch no event but a cancel, an end or trouble takes a task away from running', () => {
  const leaving = ['exited', 'died', 'step-failed', 'cancel-asked'];
  fc.assert(
    fc.property(event, (happened) => {
      const state: Task['state'] = {
        kind: 'running',
        attempt: 1,
        host: 'vm',
        since: 0,
        image: IMAGE,
        launch: LAUNCH,
      };
      const decision = decide({ ...aTask(), state }, happened, 1);
      if (decision.kind === 'next' && decision.task.state.kind !== 'running') {
        expect(leaving).toContain(happened.kind);
      }
    }),
  );
});
