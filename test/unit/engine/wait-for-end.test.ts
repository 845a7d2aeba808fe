/**
 * Goal: whoever waits for a task hears of its end at once. Method: the real store in memory, whose commits
 * are on record a while before the ledger learns of it; somebody begins to wait in between.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSubscribers } from '../../../src/engine/subscribers.ts';
import { waitForEnd } from '../../../src/engine/wait-for-end.ts';
import type { Store } from '../../../src/store/store.ts';
import { aTask } from '../../support/builders.ts';
import { openBooks } from '../../support/engine-parts.ts';

function house() {
  const door = Promise.withResolvers<void>();
  const recorded = Promise.withResolvers<void>();
  const late = (store: Store): Store => ({
    ...store,
    commit: async (change) => {
      const events = await store.commit(change);
      recorded.resolve();
      await door.promise;
      return events;
    },
  });
  const { ledger, store } = openBooks(late);
  const subscribers = createSubscribers(store, () => 0);
  ledger.onTold(({ task }) => subscribers.wake(task.id));
  return { ledger, subscribers, recorded: recorded.promise, open: door.resolve };
}

const SOON = { timeoutMs: 5_000, signal: new AbortController().signal };

test('an end that is on record but not yet told when the wait begins is heard of when it is told', async () => {
  const { ledger, subscribers, recorded, open } = house();
  const task = aTask({}, 'one');
  await ledger.insert([task]);
  const cancelled = ledger.apply(task.id, { kind: 'cancel-asked' });
  await recorded;
  const began = performance.now();
  const waiting = waitForEnd({ ledger, subscribers }, { id: task.id, ...SOON });
  await turn();
  open();
  expect((await waiting).state.kind).toBe('cancelled');
  expect(performance.now() - began).toBeLessThan(SOON.timeoutMs / 2);
  await cancelled;
});

test('when the time is over, the task is given as it stands', async () => {
  const { ledger, subscribers } = house();
  const task = aTask({}, 'two');
  await ledger.insert([task]);
  const want = { id: task.id, timeoutMs: 1, signal: SOON.signal };
  expect((await waitForEnd({ ledger, subscribers }, want)).state.kind).toBe('queued');
});

test('what happens to other tasks is not looked at: a thousand may be waited for at once', async () => {
  const { ledger, subscribers, open } = house();
  open();
  const [task, other] = [aTask({}, 'mine'), aTask({}, 'other')];
  await ledger.insert([task, other]);
  let looks = 0;
  const counted = {
    ...ledger,
    find: (id: string) => {
      looks += 1;
      return ledger.find(id);
    },
  };
  const waiting = waitForEnd({ ledger: counted, subscribers }, { id: task.id, ...SOON });
  await turn();
  const before = looks;
  await ledger.apply(other.id, { kind: 'cancel-asked' });
  await turn();
  expect(looks).toBe(before);
  await ledger.apply(task.id, { kind: 'cancel-asked' });
  expect((await waiting).state.kind).toBe('cancelled');
});
