/**
 * Goal: what is ordered is carried out, once at a time, and for as long as it is wanted. Method: a real
 * ledger, steps that do as the test says, a clock that only moves when told.
 */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { EffectKind } from '../../../src/domain/effects.ts';
import { EFFECT_KINDS } from '../../../src/domain/effects.ts';
import type { NewsEvent } from '../../../src/domain/events.ts';
import { AppError, type ErrorCode } from '../../../src/domain/failure.ts';
import type { Task } from '../../../src/domain/task.ts';
import { createDispatcher, type Step, type StepContext } from '../../../src/engine/dispatcher.ts';
import type { Store } from '../../../src/store/store.ts';
import { aTask, exitOf, IMAGE, LAUNCH, TO_RUNNING } from '../../support/builders.ts';
import { LOG, openBooks } from '../../support/engine-parts.ts';

const PLACED: NewsEvent = { kind: 'placed', attempt: 1, host: 'vm' };
const READY: NewsEvent = { kind: 'image-ready', attempt: 1, image: IMAGE };
const fail = (code: ErrorCode): AppError => new AppError(code, `${code} it is`);
const tick = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** Never comes to an end but by its signal. */
const forever: Step = ({ signal }) =>
  new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error)),
  );

function house(changes: Partial<Record<EffectKind, Step>> = {}, wrap?: (store: Store) => Store) {
  const { ledger, store } = openBooks(wrap);
  const started: string[] = [];
  const contexts: StepContext[] = [];
  const table = Object.fromEntries(
    EFFECT_KINDS.map((kind): [EffectKind, Step] => [
      kind,
      (context) => {
        started.push(`${kind} ${context.attempt}`);
        contexts.push(context);
        return (changes[kind] ?? forever)(context);
      },
    ]),
  ) as Record<EffectKind, Step>;
  let now = 1_000;
  const dispatcher = createDispatcher({
    ledger,
    steps: table,
    now: () => now,
    random: () => 1,
    log: LOG,
  });
  ledger.onTold(({ task, orders }) => dispatcher.sync(task.id, orders));
  onTestFinished(() => dispatcher.stop());
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    vi.advanceTimersByTime(ms);
    await tick();
  };
  const begin = async (...events: NewsEvent[]): Promise<Task> => {
    const task = aTask({ cleanup: 'always' });
    await ledger.insert([task]);
    for (const event of events) await ledger.apply(task.id, event);
    await tick();
    return task;
  };
  const state = (task: Task) => ledger.get(task.id)?.state;
  return { ledger, store, dispatcher, started, contexts, pass, begin, state };
}

test('an order is carried out, its news is committed, and the next order follows', async () => {
  const { begin, started, state } = house({
    pull: async () => READY,
    launch: async () => ({ kind: 'launched', attempt: 1, launch: LAUNCH }),
  });
  const task = await begin(PLACED);
  expect(started).toEqual(['pull 1', 'launch 1', 'watch 1']);
  expect(state(task)?.kind).toBe('running');
});

test('one order has one job, however often it is told', async () => {
  const { begin, started, dispatcher } = house();
  const task = await begin(PLACED);
  for (let i = 0; i < 3; i += 1) dispatcher.sync(task.id, [{ kind: 'pull', attempt: 1 }]);
  await tick();
  expect(started).toEqual(['pull 1']);
});

test('a job whose order is no longer wanted is aborted, and its late news is not committed', async () => {
  const gate = Promise.withResolvers<NewsEvent>();
  const { begin, contexts, started, ledger, state } = house({ pull: () => gate.promise });
  const task = await begin(PLACED);
  await ledger.apply(task.id, { kind: 'cancel-asked' });
  expect(contexts[0]?.signal.aborted).toBe(true);
  expect(started).toEqual(['pull 1', 'cancel 1']);
  gate.resolve(READY);
  await tick();
  expect(state(task)?.kind).toBe('cancelling');
});

test('trouble that may pass is told with code, hint and since, and tried again with growing delays', async () => {
  let broken = true;
  const { begin, started, pass, state, dispatcher } = house({
    pull: async () => {
      if (broken) throw fail('SSH_HOST_UNREACHABLE');
      return READY;
    },
  });
  const task = await begin(PLACED);
  expect(state(task)).toMatchObject({
    kind: 'pulling',
    blocked: {
      host: 'vm',
      reason: 'SSH_HOST_UNREACHABLE',
      message: 'SSH_HOST_UNREACHABLE it is',
      hint: expect.stringContaining('towline host doctor vm'),
      since: 1_000,
    },
  });
  expect(dispatcher.nextTryAt(task.id)).toBe(2_000);
  await pass(999);
  expect(started).toHaveLength(1);
  await pass(1);
  expect(started).toHaveLength(2);
  expect(dispatcher.nextTryAt(task.id)).toBe(2_000 + 2_000);
  for (const delay of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) await pass(delay);
  expect(started).toHaveLength(9);
  expect(state(task)).toMatchObject({ blocked: { since: 1_000 } });
  broken = false;
  await pass(60_000);
  expect(state(task)?.kind).toBe('launching');
  expect(state(task)).not.toHaveProperty('blocked');
  expect(dispatcher.nextTryAt(task.id)).toBeUndefined();
});

test('the same trouble is committed once, however often it comes', async () => {
  const { begin, pass, store } = house({ pull: () => Promise.reject(fail('SSH_AUTH_FAILED')) });
  await begin(PLACED);
  const commits = store.counters().transactions;
  for (const delay of [1_000, 2_000, 4_000]) await pass(delay);
  expect(store.counters().transactions).toBe(commits);
});

test('when its host comes back a waiting order is tried at once; those of other hosts wait on', async () => {
  const { begin, started, dispatcher } = house({
    pull: () => Promise.reject(fail('SSH_CONNECTION_LOST')),
  });
  await begin(PLACED);
  dispatcher.wakeHost('other');
  await tick();
  expect(started).toHaveLength(1);
  dispatcher.wakeHost('vm');
  await tick();
  expect(started).toHaveLength(2);
});

test('a try that fails while its host comes back does not wait out what the outage had grown to', async () => {
  let refuse: (error: AppError) => void = () => {};
  const { begin, dispatcher, pass } = house({
    pull: () =>
      new Promise((_, reject) => {
        refuse = reject;
      }),
  });
  const task = await begin(PLACED);
  for (const delay of [1_000, 2_000, 4_000, 8_000]) {
    refuse(fail('SSH_CONNECTION_LOST'));
    await tick();
    await pass(delay);
  }
  dispatcher.wakeHost('vm');
  refuse(fail('SSH_CONNECTION_LOST'));
  await tick();
  expect(dispatcher.nextTryAt(task.id)).toBe(1_000 + 15_000 + 1_000);
});

test.each<[EffectKind, NewsEvent[]]>([
  ['pull', [PLACED]],
  ['collect', [...(TO_RUNNING as NewsEvent[]), { kind: 'exited', attempt: 1, exit: exitOf(0) }]],
])('a final error of %s ends the task with it', async (kind, events) => {
  const { ledger, started, state } = house({ [kind]: () => Promise.reject(fail('OUTPUT_EXISTS')) });
  const task = aTask({ outputs: [{ pattern: 'a', local: '/a', overwrite: false }] });
  await ledger.insert([task]);
  for (const event of events) await ledger.apply(task.id, event);
  await tick();
  expect(started.at(-1)).toBe(`${kind} 1`);
  expect(state(task) ?? (await ledger.find(task.id)).state).toMatchObject({
    kind: 'error',
    failure: { code: 'OUTPUT_EXISTS', context: { task: task.id, host: 'vm' } },
  });
});

test.each<[EffectKind, NewsEvent[], boolean]>([
  ['launch', [PLACED, READY], false],
  ['watch', TO_RUNNING as NewsEvent[], false],
  ['cancel', TO_RUNNING as NewsEvent[], true],
])(
  '%s never gives up by an error of its own: the attempt could be running',
  async (kind, events, cancel) => {
    const bug = new TypeError('not even an AppError');
    const { ledger, begin, started, pass, state } = house({ [kind]: () => Promise.reject(bug) });
    const task = await begin(...events);
    if (cancel) await ledger.apply(task.id, { kind: 'cancel-asked' });
    await tick();
    const before = state(task)?.kind;
    await pass(1_000);
    await pass(2_000);
    expect(started.filter((what) => what === `${kind} 1`)).toHaveLength(3);
    expect(state(task)).toMatchObject({ kind: before, blocked: { reason: 'INTERNAL' } });
  },
);

test('cleaning is tried for ever, and says with the ended task why it is not done', async () => {
  const { ledger, begin, pass, state } = house({
    clean: () => Promise.reject(fail('HOST_COMMAND_FAILED')),
  });
  const task = await begin(...(TO_RUNNING as NewsEvent[]));
  await ledger.apply(task.id, { kind: 'exited', attempt: 1, exit: exitOf(0) });
  await tick();
  await pass(1_000);
  expect(state(task)).toMatchObject({
    kind: 'succeeded',
    cleanup: 'pending',
    blocked: { reason: 'HOST_COMMAND_FAILED' },
  });
});

test('a full disk at the commit loses nothing: the step is carried out again until its news is written', async () => {
  let full = true;
  const { begin, started, pass, state } = house({ pull: async () => READY }, (store) => ({
    ...store,
    commit: (change) =>
      full && change.events[0]?.kind !== 'placed'
        ? Promise.reject(fail('STORE_FULL'))
        : store.commit(change),
  }));
  const task = await begin(PLACED);
  expect(state(task)?.kind).toBe('pulling');
  await pass(1_000);
  expect(started).toEqual(['pull 1', 'pull 1']);
  full = false;
  await pass(2_000);
  expect(started).toEqual(['pull 1', 'pull 1', 'pull 1', 'launch 1']);
  expect(state(task)?.kind).toBe('launching');
});

test('a failure that cannot be written is not the end either', async () => {
  let full = true;
  const { begin, pass, state, ledger } = house(
    { pull: () => Promise.reject(fail('IMAGE_MANIFEST_UNKNOWN')) },
    (store) => ({
      ...store,
      commit: (change) =>
        full && change.events[0]?.kind === 'step-failed'
          ? Promise.reject(fail('STORE_FULL'))
          : store.commit(change),
    }),
  );
  const task = await begin(PLACED);
  expect(state(task)?.kind).toBe('pulling');
  full = false;
  await pass(1_000);
  expect((await ledger.find(task.id)).state).toMatchObject({
    kind: 'error',
    failure: { code: 'IMAGE_MANIFEST_UNKNOWN' },
  });
});

test('a step that has trouble but goes on tells it and takes it back', async () => {
  const { begin, contexts, state } = house();
  const task = await begin(...(TO_RUNNING as NewsEvent[]));
  const { trouble } = contexts.at(-1) as StepContext;
  await trouble(fail('SSH_CONNECTION_LOST'));
  expect(state(task)).toMatchObject({
    kind: 'running',
    blocked: { reason: 'SSH_CONNECTION_LOST' },
  });
  await trouble(undefined);
  expect(state(task)).toMatchObject({ blocked: undefined });
});

test('stopping aborts all jobs, says why, waits for them and starts nothing any more', async () => {
  const ended: string[] = [];
  const { begin, contexts, started, dispatcher, pass, state } = house({
    pull: async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
      ended.push('pull');
      throw signal.reason;
    },
  });
  const task = await begin(PLACED);
  await dispatcher.stop();
  expect(ended).toEqual(['pull']);
  expect(contexts[0]?.signal.reason).toMatchObject({ code: 'DAEMON_STOPPING' });
  dispatcher.sync(task.id, [{ kind: 'launch', attempt: 1 }]);
  await pass(600_000);
  expect(started).toEqual(['pull 1']);
  expect(state(task)?.kind).toBe('pulling');
});

test('news of a step that ends while the daemon stops is left to the next daemon', async () => {
  const { begin, dispatcher, state } = house({
    pull: async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      return READY;
    },
  });
  const task = await begin(PLACED);
  await dispatcher.stop();
  expect(state(task)?.kind).toBe('pulling');
});

test('stopping while an order waits for its next try leaves no timer behind', async () => {
  const { begin, dispatcher } = house({ pull: () => Promise.reject(fail('HOST_COMMAND_TIMEOUT')) });
  await begin(PLACED);
  expect(vi.getTimerCount()).toBe(1);
  await dispatcher.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('of those that waited for their host before a restart one asks; the others go when it is back', async () => {
  const first = house({ pull: () => Promise.reject(fail('SSH_HOST_UNREACHABLE')) });
  const tasks = ['a', 'b', 'c'].map((id) => aTask({}, id));
  await first.ledger.insert(tasks);
  for (const { id } of tasks) await first.ledger.apply(id, PLACED);
  await tick();
  await first.dispatcher.stop();
  const away: Step = () => Promise.reject(fail('SSH_HOST_UNREACHABLE'));
  const second = house({ pull: away }, () => first.store);
  await second.ledger.load();
  for (const { id } of tasks) second.dispatcher.sync(id, second.ledger.orders(id));
  await tick();
  expect(second.started).toHaveLength(1);
  // one timer for the one that asked, one for all others
  expect(vi.getTimerCount()).toBe(2);
  // Without any word from the host another one asks all the same, within the longest pause.
  await second.pass(60_000);
  expect(new Set(second.contexts.map(({ task }) => task.id)).size).toBe(2);
  const before = second.started.length;
  second.dispatcher.wakeHost('vm');
  await tick();
  expect(second.started).toHaveLength(before + 3);
});

test('who comes when the host has been heard of already does not stand in line', async () => {
  const first = house({ pull: () => Promise.reject(fail('SSH_HOST_UNREACHABLE')) });
  const tasks = ['a', 'b', 'c'].map((id) => aTask({}, id));
  await first.ledger.insert(tasks);
  for (const { id } of tasks) await first.ledger.apply(id, PLACED);
  await tick();
  await first.dispatcher.stop();
  const second = house({}, () => first.store);
  await second.ledger.load();
  for (const [index, { id }] of tasks.entries()) {
    second.dispatcher.sync(id, second.ledger.orders(id));
    if (index === 0) second.dispatcher.wakeHost('vm');
  }
  await tick();
  expect(second.started).toHaveLength(3);
});

test('those in line go when one of them got through, or ended for a reason of its own', async () => {
  for (const outcome of ['through', 'own reason'] as const) {
    const first = house({ pull: () => Promise.reject(fail('SSH_HOST_UNREACHABLE')) });
    const tasks = ['a', 'b', 'c'].map((id) => aTask({}, id));
    await first.ledger.insert(tasks);
    for (const { id } of tasks) await first.ledger.apply(id, PLACED);
    await tick();
    await first.dispatcher.stop();
    const gate = Promise.withResolvers<NewsEvent>();
    const second = house({ pull: () => gate.promise }, () => first.store);
    await second.ledger.load();
    for (const { id } of tasks) second.dispatcher.sync(id, second.ledger.orders(id));
    await tick();
    expect(second.started).toHaveLength(1);
    if (outcome === 'through') gate.resolve(READY);
    else gate.reject(fail('IMAGE_NOT_FOUND'));
    await tick();
    expect(second.started.filter((step) => step === 'pull 1')).toHaveLength(3);
    await second.dispatcher.stop();
  }
});

test('a paused host is not asked again before it is resumed', async () => {
  const { begin, started, pass, dispatcher } = house({
    pull: () => Promise.reject(fail('HOST_PAUSED')),
  });
  const task = await begin(PLACED);
  await pass(10_000_000);
  expect(started).toHaveLength(1);
  expect(dispatcher.nextTryAt(task.id)).toBeUndefined();
  dispatcher.wakeHost('vm');
  await tick();
  expect(started).toHaveLength(2);
});

test('a host that is resumed while a try of it fails is asked again, nobody wakes it twice', async () => {
  let refuse: (error: AppError) => void = () => {};
  const pull: Step = () => new Promise((_, reject) => (refuse = reject));
  const { begin, started, pass, dispatcher } = house({ pull });
  await begin(PLACED);
  dispatcher.wakeHost('vm');
  refuse(fail('HOST_PAUSED'));
  await tick();
  await pass(1_000);
  refuse(fail('HOST_PAUSED'));
  expect(started).toHaveLength(2);
});
