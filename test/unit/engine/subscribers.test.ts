/**
 * Goal: who follows misses nothing, hears nothing twice and leaves nothing behind. Method: the real store
 * in memory, with doors in front of its reads, so that news can come at the worst moment.
 */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { TaskId } from '../../../src/domain/task.ts';
import type { LiveEvent } from '../../../src/engine/service.ts';
import { createSubscribers, type Subscribers } from '../../../src/engine/subscribers.ts';
import type { Store } from '../../../src/store/store.ts';
import { aTask } from '../../support/builders.ts';
import { openBooks } from '../../support/engine-parts.ts';
import { until } from '../../support/until.ts';

const A = 'task-a' as TaskId;
const B = 'task-b' as TaskId;

function house(wrap?: (store: Store) => Store) {
  let now = 0;
  const { ledger, store } = openBooks(wrap);
  const subscribers = createSubscribers(store, () => now);
  ledger.onTold(({ task, events }) => {
    if (events.length > 0) subscribers.wake(task.id);
  });
  let count = 0;
  /** One more durable event. */
  const happen = async (id?: string): Promise<void> => {
    count += 1;
    await ledger.insert([aTask({ held: true }, id ?? `t${count}`)]);
  };
  const pass = (ms: number): void => void (now += ms);
  return { ledger, store, subscribers, happen, pass };
}

/** Takes all that is told, in the background. */
function listen(
  subscribers: Subscribers,
  more: Partial<Parameters<Subscribers['follow']>[0]> = {},
): { seen: LiveEvent[]; stop: () => Promise<void>; over: Promise<void> } {
  const seen: LiveEvent[] = [];
  const controller = new AbortController();
  const over = (async () => {
    const options = { since: 0, follow: true, signal: controller.signal, ...more };
    for await (const event of subscribers.follow(options)) seen.push(event);
  })();
  const stop = (): Promise<void> => {
    controller.abort();
    return over;
  };
  return { seen, stop, over };
}

const seqs = (seen: LiveEvent[]): number[] =>
  seen.flatMap((event) => (event.type === 'event' ? [event.seq] : []));

test('without follow, what there is after the given number is told, and that is all', async () => {
  const { subscribers, happen } = house();
  for (let i = 0; i < 4; i += 1) await happen();
  const { seen, over } = listen(subscribers, { since: 2, follow: false });
  await over;
  expect(seqs(seen)).toEqual([3, 4]);
});

test('a history longer than a page is told whole and in order', async () => {
  const { subscribers, ledger } = house();
  await ledger.insert(Array.from({ length: 1_100 }, (_, i) => aTask({ held: true }, `t${i}`)));
  const { seen, over } = listen(subscribers, { follow: false });
  await over;
  expect(seqs(seen)).toEqual(Array.from({ length: 1_100 }, (_, i) => i + 1));
});

test('an event that comes between reading and waiting is told, and once', async () => {
  let arrive: (() => Promise<void>) | undefined;
  const { subscribers, happen, store } = house((memory) => ({
    ...memory,
    async listEvents(query) {
      const page = await memory.listEvents(query);
      // The page was read; now, before the follower waits, something happens.
      await arrive?.();
      return page;
    },
  }));
  let left = 20;
  arrive = async () => {
    left -= 1;
    if (left >= 0) await happen();
  };
  const follower = listen(subscribers);
  await until(() => seqs(follower.seen).length === 20);
  expect(seqs(follower.seen)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(await store.lastSeq()).toBe(20);
  await follower.stop();
});

test('a hundred followers each see each event once, in order, however they interleave', async () => {
  const { subscribers, happen } = house();
  const followers = Array.from({ length: 100 }, () => listen(subscribers));
  await Promise.all(Array.from({ length: 30 }, () => happen()));
  await until(() => followers.every(({ seen }) => seqs(seen).length === 30));
  for (const { seen, stop } of followers) {
    expect(seqs(seen)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    await stop();
  }
});

test('a follower of one task hears of that task alone', async () => {
  const { subscribers, happen } = house();
  const follower = listen(subscribers, { task: A });
  await happen(A);
  await happen(B);
  subscribers.progress(B, { step: 'pull', what: 'b', bytesDone: 1 });
  subscribers.progress(A, { step: 'pull', what: 'a', bytesDone: 1 });
  await until(() => follower.seen.length === 2);
  await follower.stop();
  expect(follower.seen.map((event) => 'task' in event && event.task)).toEqual([A, A]);
});

test('progress wakes followers at most every 200 ms; what is told is the latest', async () => {
  const { subscribers, pass } = house();
  const follower = listen(subscribers);
  const tell = (bytesDone: number) =>
    subscribers.progress(A, { step: 'pull', what: 'i', bytesDone });
  const told = () =>
    follower.seen.map((event) => (event.type === 'progress' ? event.progress.bytesDone : -1));
  tell(1);
  await until(() => told().length === 1);
  for (let i = 2; i < 100; i += 1) {
    pass(1);
    tell(i);
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(told()).toEqual([1]);
  pass(200);
  tell(100);
  await until(() => told().length === 2);
  expect(told()).toEqual([1, 100]);
  expect(subscribers.progressOf(A)).toMatchObject({ bytesDone: 100 });
  subscribers.endProgress(A);
  expect(subscribers.progressOf(A)).toBeUndefined();
  await follower.stop();
});

test('progress that is over is not told to those who come later', async () => {
  const { subscribers, happen } = house();
  subscribers.progress(A, { step: 'pull', what: 'i', bytesDone: 1 });
  subscribers.endProgress(A);
  const follower = listen(subscribers);
  await happen();
  await until(() => follower.seen.length === 1);
  await follower.stop();
  expect(follower.seen[0]?.type).toBe('event');
});

test('aborting ends a follower that waits, one that has not begun, and no other', async () => {
  const { subscribers, happen } = house();
  const [one, two] = [listen(subscribers), listen(subscribers)];
  await one.stop();
  await listen(subscribers, { signal: AbortSignal.abort() }).over;
  await happen();
  await until(() => two.seen.length === 1);
  await two.stop();
  expect(one.seen).toEqual([]);
});

test('a thousand followers that came and went leave no listener on a signal that lives on', async () => {
  const { subscribers, happen } = house();
  await happen();
  const { signal } = new AbortController();
  for (let i = 0; i < 1_000; i += 1) {
    for await (const event of subscribers.follow({ since: 0, follow: true, signal })) {
      expect(event.type).toBe('event');
      break;
    }
    for await (const _ of subscribers.follow({ since: 0, follow: false, signal })) void _;
  }
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
