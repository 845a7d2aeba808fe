/** Goal: what the ledger tells is what is on disk, one event at a time. Method: the real store in memory, spoilt where a disk would be. */
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { TaskId } from '../../../src/domain/task.ts';
import { createLedger, newTask } from '../../../src/engine/ledger.ts';
import type { Told } from '../../../src/engine/live-tasks.ts';
import type { Store } from '../../../src/store/store.ts';
import { after, aSpec, aTask, exitOf, IMAGE, LAUNCH, TO_RUNNING } from '../../support/builders.ts';
import { openBooks } from '../../support/engine-parts.ts';

const PLACED = { kind: 'placed', attempt: 1, host: 'vm' } as const;
const READY = { kind: 'image-ready', attempt: 1, image: IMAGE } as const;
const failure = new AppError('IMAGE_PULL_FAILED', 'm').toRecord();

test('an event is judged, committed and only then told, with its orders', async () => {
  const { ledger, store } = openBooks();
  const told: Told[] = [];
  const task = aTask();
  await ledger.insert([task]);
  ledger.onTold((one) => told.push(one));
  const next = await ledger.apply(task.id, PLACED);
  expect(next.state).toMatchObject({ kind: 'pulling', host: 'vm' });
  expect(await store.getTask(task.id)).toEqual(next);
  expect((await store.loadLive()).effects).toEqual([{ task: task.id, kind: 'pull', attempt: 1 }]);
  expect(told).toMatchObject([
    { before: { version: 1 }, task: { version: 2 }, orders: [{ kind: 'pull', attempt: 1 }] },
  ]);
  expect(told[0]?.events.map((event) => event.kind)).toEqual(['placed']);
});

test('events of one task take turns in the order asked, each judged by what the last one left', async () => {
  const { ledger } = openBooks();
  const task = aTask();
  await ledger.insert([task]);
  const states = await Promise.all(
    [PLACED, READY, TO_RUNNING[2] as never].map((event) => ledger.apply(task.id, event)),
  );
  expect(states.map(({ state }) => state.kind)).toEqual(['pulling', 'launching', 'running']);
  expect(ledger.get(task.id)?.version).toBe(4);
});

test('news of the wrong moment changes nothing and is told to nobody', async () => {
  const { ledger, store } = openBooks();
  const task = aTask();
  await ledger.insert([task]);
  const told: Told[] = [];
  ledger.onTold((one) => told.push(one));
  const commits = store.counters().transactions;
  expect(await ledger.apply(task.id, READY)).toEqual(task);
  expect(await ledger.apply(task.id, { ...PLACED, attempt: 7 })).toEqual(task);
  expect(told).toEqual([]);
  expect(store.counters().transactions).toBe(commits);
});

test('what a user asks at the wrong time is refused by name, and the next event is judged all the same', async () => {
  const { ledger } = openBooks();
  const task = aTask();
  await ledger.insert([task]);
  const refused = ledger.apply(task.id, { kind: 'released' });
  const placed = ledger.apply(task.id, PLACED);
  await expect(refused).rejects.toMatchObject({ code: 'TASK_WRONG_STATE' });
  expect((await placed).state.kind).toBe('pulling');
});

test('a full disk leaves the task as it was, with its orders, and the same event can come again', async () => {
  let full = false;
  const { ledger } = openBooks((store) => ({
    ...store,
    commit: (change) =>
      full ? Promise.reject(new AppError('STORE_FULL', 'no space')) : store.commit(change),
  }));
  const task = aTask();
  await ledger.insert([task]);
  const told: Told[] = [];
  await ledger.apply(task.id, PLACED);
  ledger.onTold((one) => told.push(one));
  full = true;
  await expect(ledger.apply(task.id, READY)).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(ledger.get(task.id)?.state.kind).toBe('pulling');
  expect(ledger.orders(task.id)).toEqual([{ kind: 'pull', attempt: 1 }]);
  expect(told).toEqual([]);
  full = false;
  expect((await ledger.apply(task.id, READY)).state.kind).toBe('launching');
});

test('cleaning of an earlier attempt stays ordered whatever the next attempt does, until it is done', async () => {
  const { ledger, store } = openBooks();
  const task = aTask({ retries: 1, retryOn: ['exit'], cleanup: 'always' });
  await ledger.insert([task]);
  for (const event of TO_RUNNING) await ledger.apply(task.id, event);
  await ledger.apply(task.id, { kind: 'exited', attempt: 1, exit: exitOf(3) });
  const clean = { kind: 'clean', attempt: 1 };
  expect(ledger.orders(task.id)).toEqual([clean]);
  await ledger.apply(task.id, { ...PLACED, attempt: 2 });
  expect(ledger.orders(task.id)).toEqual([clean, { kind: 'pull', attempt: 2 }]);
  await ledger.apply(task.id, { ...READY, attempt: 2 });
  expect((await store.loadLive()).effects).toEqual([
    { task: task.id, ...clean },
    { task: task.id, kind: 'launch', attempt: 2 },
  ]);
  await ledger.apply(task.id, { kind: 'cleaned', attempt: 1 });
  expect(ledger.orders(task.id)).toEqual([{ kind: 'launch', attempt: 2 }]);
});

test('an ended task is let go of once it is cleaned, and is still found and retried', async () => {
  const { ledger } = openBooks();
  const task = aTask({ cleanup: 'always' });
  await ledger.insert([task]);
  for (const event of TO_RUNNING) await ledger.apply(task.id, event);
  await ledger.apply(task.id, { kind: 'exited', attempt: 1, exit: exitOf(0) });
  expect([...ledger.live()].map(({ id }) => id)).toEqual([task.id]);
  await ledger.apply(task.id, { kind: 'cleaned', attempt: 1 });
  expect([...ledger.live()]).toEqual([]);
  expect(ledger.get(task.id)).toBeUndefined();
  expect((await ledger.find(task.id)).state).toMatchObject({ kind: 'succeeded', cleanup: 'done' });
  expect((await ledger.apply(task.id, { kind: 'retry-asked' })).state.attempt).toBe(2);
  expect([...ledger.live()]).toHaveLength(1);
});

test('a new ledger on the same store knows the live tasks and what is ordered of them', async () => {
  const { ledger, store } = openBooks();
  await ledger.insert([aTask({}, 'runs00000000'), aTask({ held: true }, 'ends00000000')]);
  await ledger.apply('runs00000000' as TaskId, PLACED);
  await ledger.apply('ends00000000' as TaskId, { kind: 'cancel-asked' });
  const next = createLedger({ store, now: () => 0 });
  await next.load();
  expect([...next.live()].map(({ id }) => id)).toEqual(['runs00000000']);
  expect(next.orders('runs00000000' as TaskId)).toEqual([{ kind: 'pull', attempt: 1 }]);
});

test('a task is found by a prefix that only it has, of four letters or more', async () => {
  const { ledger } = openBooks();
  await ledger.insert([aTask({}, 'abcdeaaaaaaa'), aTask({}, 'abcdebbbbbbb')]);
  expect((await ledger.find('abcdea')).id).toBe('abcdeaaaaaaa');
  for (const [id, why] of [
    ['abcde', 'several tasks'],
    ['abc', 'no task'],
    ['abcdec', 'no task'],
    ['abcdeaaaaaaaa', 'no task'],
    ['____', 'no task'],
    ['%%%%', 'no task'],
  ] as const) {
    await expect(ledger.find(id)).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
      message: expect.stringContaining(why),
    });
  }
});

test('a submission that is sent twice with one key is told once', async () => {
  const { ledger } = openBooks();
  const told: Told[] = [];
  ledger.onTold((one) => told.push(one));
  const key = { key: 'k', digest: 'd' };
  expect((await ledger.insert([aTask({}, 'one')], key)).created).toBe(true);
  const again = await ledger.insert([aTask({}, 'two')], key);
  expect(again).toMatchObject({ created: false, tasks: [{ id: 'one' }] });
  expect(told.map(({ task }) => task.id)).toEqual(['one']);
});

test('submission of a task that was never seen is refused by its id', async () => {
  const { ledger } = openBooks();
  await expect(ledger.apply('nobody' as TaskId, PLACED)).rejects.toMatchObject({
    code: 'TASK_NOT_FOUND',
  });
});

test('a failing task tells its failure in its event', async () => {
  const { ledger } = openBooks();
  const task = aTask();
  await ledger.insert([task]);
  await ledger.apply(task.id, PLACED);
  const told: Told[] = [];
  ledger.onTold((one) => told.push(one));
  await ledger.apply(task.id, { kind: 'step-failed', attempt: 1, failure });
  expect(told[0]?.events[0]).toMatchObject({ state: 'error', data: { failure } });
});

test('a task is new as it is submitted: queued, or held when that is asked', () => {
  const id = 'a' as TaskId;
  expect(newTask(id, aSpec(), 5)).toMatchObject({
    state: { kind: 'queued', since: 5 },
    version: 1,
  });
  expect(newTask(id, aSpec({ held: true }), 5).state.kind).toBe('held');
  expect(after(aTask(), ...TO_RUNNING).state).toMatchObject({ kind: 'running', launch: LAUNCH });
});

test('a store that is slow does not mix the turns of two tasks', async () => {
  const order: string[] = [];
  const gates: (() => void)[] = [];
  const slow = (store: Store): Store => ({
    ...store,
    async commit(change) {
      order.push(`begin ${change.task.id}`);
      await new Promise<void>((resolve) => gates.push(resolve));
      order.push(`end ${change.task.id}`);
      return store.commit(change);
    },
  });
  const { ledger } = openBooks(slow);
  await ledger.insert([aTask({}, 'one'), aTask({}, 'two')]);
  const all = [
    ledger.apply('one' as TaskId, PLACED),
    ledger.apply('one' as TaskId, READY),
    ledger.apply('two' as TaskId, PLACED),
  ];
  while (gates.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['begin one', 'begin two']);
  gates[0]?.();
  while (gates.length < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['begin one', 'begin two', 'end one', 'begin one']);
  for (const gate of gates) gate();
  await Promise.all(all);
});
