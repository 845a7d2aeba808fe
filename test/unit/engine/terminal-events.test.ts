/**
 * Goal: every attempt has exactly one event that ends it, in order, however it ends. Method: the real ledger and store, each
 * way to an end by news, then all news once more, late.
 */
import { expect, test } from 'vitest';
import { EVENT_KINDS } from '../../../src/domain/event-kinds.ts';
import type { TaskEvent } from '../../../src/domain/events.ts';
import { AppError, type ErrorCode } from '../../../src/domain/failure.ts';
import { isEnded } from '../../../src/domain/state.ts';
import type { Task, TaskId, TaskSpec } from '../../../src/domain/task.ts';
import type { EventRecord } from '../../../src/store/store.ts';
import { aTask, exitOf, IMAGE, LAUNCH } from '../../support/builders.ts';
import { openBooks } from '../../support/engine-parts.ts';

const ID = 'task1' as TaskId;
const AFTER_THE_END = ['blocked', 'unblocked', 'gc-asked', 'cleaned', 'retry-asked'];

function failure(code: ErrorCode) {
  return new AppError(code, 'why').toRecord();
}

/** News of an attempt, as far as a state. */
function way(attempt: number) {
  const placed: TaskEvent = { kind: 'placed', attempt, host: 'vm' };
  const staged: TaskEvent = { kind: 'staged', attempt, inputs: { files: [] } };
  const pulled: TaskEvent = { kind: 'image-ready', attempt, image: IMAGE };
  const launched: TaskEvent = { kind: 'launched', attempt, launch: LAUNCH };
  const exited = (code: number, more = {}): TaskEvent => ({
    kind: 'exited',
    attempt,
    exit: exitOf(code, more),
  });
  const collected: TaskEvent = { kind: 'collected', attempt, outputs: [] };
  const gone: TaskEvent = { kind: 'gone', attempt };
  const died: TaskEvent = { kind: 'died', attempt, failure: failure('TASK_INTERRUPTED') };
  const broken: TaskEvent = {
    kind: 'step-failed',
    attempt,
    failure: failure('RUNTIME_START_FAILED'),
  };
  const running = [placed, staged, pulled, launched];
  return { placed, staged, pulled, launched, exited, collected, gone, died, broken, running };
}

const one = way(1);
const two = way(2);
const CANCEL: TaskEvent = { kind: 'cancel-asked' };
const IN = {
  inputs: [{ source: { kind: 'content', base64: '' }, target: 'a' }],
} as Partial<TaskSpec>;
const OUT: Partial<TaskSpec> = {
  ...IN,
  outputs: [{ pattern: 'x', local: '/x', overwrite: false }],
};

/** The events of a task and the results of its attempts. */
const WAYS: [string, Partial<TaskSpec>, TaskEvent[], string[]][] = [
  ['success', IN, [...one.running, one.exited(0)], ['succeeded']],
  ['success with outputs', OUT, [...one.running, one.exited(0), one.collected], ['succeeded']],
  ['its code', IN, [...one.running, one.exited(3)], ['failed']],
  ['its code, with outputs', OUT, [...one.running, one.exited(3), one.collected], ['failed']],
  ...(['time', 'stdout', 'stderr', 'memory'] as const).map((limit): (typeof WAYS)[number] => [
    `limit ${limit}`,
    IN,
    [...one.running, one.exited(137, { limit })],
    ['failed'],
  ]),
  ['cancel while held', { ...IN, held: true }, [{ kind: 'hold-asked' }, CANCEL], ['cancelled']],
  ['cancel while queued', IN, [CANCEL], ['cancelled']],
  ...[1, 2, 3, 4].map((length): (typeof WAYS)[number] => [
    `cancel after ${one.running[length - 1]?.kind}`,
    IN,
    [...one.running.slice(0, length), CANCEL, one.gone],
    ['cancelled'],
  ]),
  [
    'cancel while collecting',
    OUT,
    [...one.running, one.exited(0), CANCEL, one.gone],
    ['cancelled'],
  ],
  ['cancel, and dead', IN, [...one.running, CANCEL, one.died], ['cancelled']],
  ...[1, 2, 4].map((length): (typeof WAYS)[number] => [
    `a step that fails after ${one.running[length - 1]?.kind}`,
    IN,
    [...one.running.slice(0, length), one.broken],
    ['error'],
  ]),
  ['a launch that fails', IN, [...one.running.slice(0, 3), one.broken, one.gone], ['error']],
  ['fetching that fails', OUT, [...one.running, one.exited(0), one.broken], ['error']],
  ['interrupted', IN, [...one.running, one.died], ['interrupted']],
  [
    'retried by policy',
    { ...IN, retries: 1, retryOn: ['exit'] },
    [...one.running, one.exited(3), ...two.running, two.exited(0)],
    ['failed', 'succeeded'],
  ],
  [
    'retried by hand',
    IN,
    [...one.running, one.died, { kind: 'retry-asked' }, ...two.running, two.exited(0)],
    ['interrupted', 'succeeded'],
  ],
];

test.each(WAYS)('%s', async (_, spec, news, results) => {
  const { ledger, store } = openBooks();
  const task: Task = aTask(spec, ID);
  await ledger.insert([task]);
  for (const event of news) await ledger.apply(ID, event);
  const { state } = await ledger.find(ID);
  expect(isEnded(state)).toBe(true);
  // told twice, or late: nothing ends again
  for (const event of [...news, one.died, one.broken, one.gone].filter((late) => 'attempt' in late))
    await ledger.apply(ID, event);
  await ledger.apply(ID, { kind: 'cleaned', attempt: state.attempt });
  const events = (await store.listEvents({ since: 0, limit: 500, task: ID })) as EventRecord[];
  const ends = events.filter(({ data }) => data['end'] !== undefined);
  expect(ends.map(({ attempt, data }) => [attempt, data['end']])).toMatchObject(
    results.map((result, index) => [index + 1, { result }]),
  );
  expect(ends.at(-1)).toMatchObject({
    state: results.at(-1),
    data: { end: expect.not.objectContaining({ again: true }) },
  });
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
  for (const end of ends) {
    const later = events.filter(({ seq, attempt }) => seq > end.seq && attempt === end.attempt);
    expect(AFTER_THE_END).toEqual(expect.arrayContaining(later.map(({ kind }) => kind)));
  }
  expect(Object.keys(EVENT_KINDS)).toEqual(expect.arrayContaining(events.map(({ kind }) => kind)));
});
