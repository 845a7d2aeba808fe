/**
 * Goal: every promise of src/store/store.ts, for any ledger behind it.
 * Method: `open` gives an empty store; the tests speak to the Store interface only.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STATE_KINDS, type TaskState } from '../../src/domain/state.ts';
import type { TaskId } from '../../src/domain/task.ts';
import type { DocumentQuery, Store } from '../../src/store/store.ts';
import {
  aChange,
  anEvent,
  aSpec,
  aTask,
  everyState,
  moved,
  NOW,
  staging,
  succeeded,
} from './store-tasks.ts';

export function storeSuite(name: string, open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await store.close();
  });

  describe(`${name}: tasks`, () => {
    it('a task comes back as it was put in, in every state and with every field', async () => {
      expect(everyState().map(({ kind }) => kind)).toEqual(STATE_KINDS);
      for (const state of everyState()) {
        const slurm = { partition: 'a,b', short: true, nodes: 2, args: ['--comment=$(x) ü'] };
        const spec = aSpec({ name: 'ü \u0000 \' "', env: { A: '$(x)\n' }, slurm });
        const task = aTask({ state, spec });
        await store.insert([aChange(task)]);
        expect(await store.getTask(task.id)).toEqual(task);
      }
    });

    it('documents are found by tag, name, state and id, a page at a time, and go with their tasks', async () => {
      const task = (id: string, tags: Record<string, string>, state?: TaskState) =>
        aTask({ id: id as TaskId, spec: aSpec({ tags }), ...(state && { state }) });
      const failing = { ...aFailingState(), kind: 'cancelling' } as TaskState;
      const changes = [
        { ...aChange(task('a', { run: '1', empty: '' })), document: { name: 'na%me', body: 'A' } },
        { ...aChange(task('b', { run: '1' }, succeeded())), document: { body: 'B' } },
        { ...aChange(task('c', { run: '2' }, failing)), document: { name: 'name', body: 'C' } },
        aChange(task('d', { run: '1' })),
      ];
      await store.insert(changes);
      const ids = async (query: Partial<DocumentQuery>) =>
        (await store.listDocuments({ bodies: false, limit: 10, ...query })).rows.map(
          ({ id }) => id,
        );
      expect(await ids({})).toEqual(['c', 'b', 'a']);
      expect(await ids({ tags: [{ key: 'run', value: '1' }] })).toEqual(['b', 'a']);
      expect(await ids({ tags: [{ key: 'run', value: '1' }, { key: 'empty' }] })).toEqual(['a']);
      expect(await ids({ namePrefix: 'na%' })).toEqual(['a']);
      expect(await ids({ id: 'd' as TaskId })).toEqual([]);
      expect(await ids({ states: [] })).toEqual([]);
      expect(await ids({ states: [{ kind: 'cancelling', failing: false }] })).toEqual([]);
      expect(await ids({ states: [{ kind: 'cancelling', failing: true }] })).toEqual(['c']);
      const first = await store.listDocuments({ bodies: true, limit: 2 });
      expect(first.rows).toEqual([
        { id: 'c', kind: 'cancelling', failing: true, body: 'C' },
        { id: 'b', kind: 'succeeded', failing: false, body: 'B' },
      ]);
      const rest = await store.listDocuments({ bodies: true, limit: 2, cursor: first.cursor });
      expect(rest).toEqual({ rows: [{ id: 'a', kind: 'queued', failing: false, body: 'A' }] });
      await store.forget(['b' as TaskId]);
      expect(await ids({})).toEqual(['c', 'a']);
    });

    it('ids are found by their beginning, two at most, and nothing in it is a wildcard', async () => {
      const ids = ['abcd1', 'abcd2', 'abcd3', 'abxd4'].map((id) => id as TaskId);
      for (const id of ids) await store.insert([aChange(aTask({ id }))]);
      expect(await store.findIds('abx')).toEqual(['abxd4']);
      expect(await store.findIds('abcd')).toHaveLength(2);
      expect(await store.findIds('ab_d')).toEqual([]);
      expect(await store.findIds('abcd9')).toEqual([]);
    });

    it('a commit writes the state, the history, the events and the orders together', async () => {
      const task = aTask();
      await store.insert([aChange(task)]);
      const past = { attempt: 1, result: 'failed', finishedAt: NOW, cleanup: 'kept' } as const;
      const next = { ...moved(task, staging()), history: [past] };
      const events = await store.commit({
        task: next,
        events: [anEvent(next, { kind: 'placed', data: { host: 'vm' } })],
        effects: [{ kind: 'stage', attempt: 1 }],
      });
      expect(events).toMatchObject([{ seq: 2, kind: 'placed', data: { host: 'vm' } }]);
      expect(await store.getTask(task.id)).toEqual(next);
      expect(await store.listEvents({ since: 1, limit: 9 })).toEqual(events);
      expect(await store.loadLive()).toEqual({
        unreadable: [],
        tasks: [next],
        effects: [{ task: task.id, kind: 'stage', attempt: 1 }],
      });
    });

    it('the orders of a commit replace those before', async () => {
      const task = aTask();
      await store.insert([aChange(task, { effects: [{ kind: 'stage', attempt: 1 }] })]);
      const effects = [
        { kind: 'clean', attempt: 1 },
        { kind: 'pull', attempt: 2 },
      ] as const;
      await store.commit({ task: moved(task, staging()), events: [], effects: [...effects] });
      const live = await store.loadLive();
      expect(live.effects).toEqual(effects.map((effect) => ({ ...effect, task: task.id })));
    });

    it('an unexpected version is a bug and changes nothing', async () => {
      const task = aTask();
      await store.insert([aChange(task)]);
      for (const version of [1, 3]) {
        const change = aChange({ ...task, version, state: staging() });
        await expect(store.commit(change)).rejects.toThrow(/stored with version 1; version/);
      }
      await expect(store.commit(aChange(aTask({ version: 2 })))).rejects.toThrow(
        /not in the store/,
      );
      expect(await store.getTask(task.id)).toEqual(task);
      expect(await store.lastSeq()).toBe(1);
    });

    it('what could not be read back is not written', async () => {
      const task = aTask();
      await store.insert([aChange(task)]);
      const state = { ...staging(), since: Number.NaN } as never;
      await expect(store.commit(aChange(moved(task, state)))).rejects.toThrow(/state\.since/);
      const spec = aSpec({ cleanup: 'sometimes' as never });
      await expect(store.insert([aChange(aTask({ spec }))])).rejects.toThrow(/spec\.cleanup/);
    });

    it('no task of an unknown id', async () => {
      expect(await store.getTask('none' as TaskId)).toBeUndefined();
    });

    it('a restarted daemon is told of what has not ended and what is still ordered, no more', async () => {
      const running = aTask({ state: staging() });
      const cleaning = aTask({ state: succeeded({ cleanup: 'pending' }) });
      const done = aTask({ state: succeeded() });
      const clean = { kind: 'clean', attempt: 1 } as const;
      await store.insert([
        aChange(running),
        aChange(cleaning, { effects: [clean] }),
        aChange(done),
      ]);
      expect(await store.loadLive()).toEqual({
        unreadable: [],
        tasks: [running, cleaning],
        effects: [{ task: cleaning.id, ...clean }],
      });
    });
  });

  describe(`${name}: submissions`, () => {
    it('several tasks are taken in together or not at all', async () => {
      const known = aTask();
      await store.insert([aChange(known)]);
      const fresh = aTask();
      await expect(store.insert([aChange(fresh), aChange(known)])).rejects.toThrow(/there already/);
      expect(await store.getTask(fresh.id)).toBeUndefined();
      expect(await store.lastSeq()).toBe(1);
    });

    it('the same key and content bring the first tasks back, as they now stand', async () => {
      const tasks = [aTask(), aTask(), aTask()];
      const key = { key: 'k', digest: 'd' };
      const first = await store.insert(
        tasks.map((task) => aChange(task)),
        key,
      );
      expect(first.created).toBe(true);
      expect(first.events).toHaveLength(3);
      const [task] = first.tasks;
      if (task === undefined) throw new Error('no task');
      expect(task.idempotencyKey).toBe('k');
      const next = moved(task, staging());
      await store.commit(aChange(next));

      const again = await store.insert([aChange(aTask())], key);
      expect(again).toEqual({ created: false, tasks: [next, ...first.tasks.slice(1)], events: [] });
      expect((await store.listTasks({ limit: 9 })).tasks).toHaveLength(3);
    });

    it('the same key with other content is refused and names the first task', async () => {
      const task = aTask();
      await store.insert([aChange(task)], { key: 'k', digest: 'd' });
      const other = store.insert([aChange(aTask())], { key: 'k', digest: 'e' });
      await expect(other).rejects.toMatchObject({
        code: 'TASK_IDEMPOTENCY_CONFLICT',
        context: { task: task.id },
      });
    });

    it('of many submissions with one key at once, one is taken in', async () => {
      const key = { key: 'k', digest: 'd' };
      const results = await Promise.all(
        Array.from({ length: 20 }, () => store.insert([aChange(aTask())], key)),
      );
      expect(results.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(results.map(({ tasks }) => tasks[0]?.id)).size).toBe(1);
    });
  });

  describe(`${name}: lists`, () => {
    it('pages go from the newest back, each task once, whatever comes in meanwhile', async () => {
      const tasks = Array.from({ length: 10 }, () => aTask());
      await store.insert(tasks.map((task) => aChange(task)));
      const seen: TaskId[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.listTasks({ limit: 3, cursor });
        seen.push(...page.tasks.map(({ id }) => id));
        cursor = page.cursor;
        // Newer tasks, also one whose clock was late, do not shift the pages.
        await store.insert([aChange(aTask()), aChange(aTask({ submittedAt: NOW - 1e9 }))]);
      } while (cursor !== undefined);
      expect(seen).toEqual(tasks.map(({ id }) => id).toReversed());
    });

    it('states, host and tags narrow a list', async () => {
      const a = aTask({ state: staging('vm'), spec: aSpec({ tags: { run: '1', 'a"b': "c'd" } }) });
      const b = aTask({ state: staging('hpc'), spec: aSpec({ tags: { run: '1' } }) });
      const c = aTask({ spec: aSpec({ host: 'vm', tags: { run: '2' } }) });
      await store.insert([aChange(a), aChange(b), aChange(c)]);
      const ids = async (query: object) =>
        (await store.listTasks({ limit: 9, ...query })).tasks.map(({ id }) => id);
      expect(await ids({ states: ['staging'] })).toEqual([b.id, a.id]);
      expect(await ids({ states: ['staging', 'queued'] })).toEqual([c.id, b.id, a.id]);
      expect(await ids({ states: [] })).toEqual([]);
      expect(await ids({ host: 'vm' })).toEqual([c.id, a.id]);
      expect(await ids({ tags: { run: '1' } })).toEqual([b.id, a.id]);
      expect(await ids({ tags: { run: '1', 'a"b': "c'd" } })).toEqual([a.id]);
      expect(await ids({ tags: { run: '1' }, host: 'vm', states: ['queued'] })).toEqual([]);
    });

    it('the whole name of a task narrows a list', async () => {
      const hostile = `fit "a" $b'; --`;
      const a = aTask({ spec: aSpec({ name: 'fit' }) });
      const b = aTask({ spec: aSpec({ name: hostile }) });
      const c = aTask({ spec: aSpec({ name: 'fit' }), state: staging('vm') });
      await store.insert([aChange(a), aChange(b), aChange(c), aChange(aTask())]);
      const ids = async (query: object) =>
        (await store.listTasks({ limit: 9, ...query })).tasks.map(({ id }) => id);
      expect(await ids({ name: 'fit' })).toEqual([c.id, a.id]);
      expect(await ids({ name: hostile })).toEqual([b.id]);
      expect(await ids({ name: 'fi' })).toEqual([]);
      expect(await ids({ name: 'fit', host: 'vm', states: ['staging'] })).toEqual([c.id]);
    });

    it('a cursor that is none of ours is refused by name', async () => {
      for (const cursor of ['x', '1 OR 1', '-1', '9'.repeat(20)]) {
        const page = store.listTasks({ limit: 1, cursor });
        await expect(page).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      }
    });

    it('modes of hosts are kept, and told among the events of tasks under numbers of their own', async () => {
      expect(await store.hostModes()).toEqual([]);
      const first = await store.setHostMode({ at: 5, host: 'vm', mode: 'paused' });
      const task = aTask();
      const { events } = await store.insert([aChange(task)]);
      const last = await store.setHostMode({ at: 7, host: 'vm', mode: 'open' });
      const other = await store.setHostMode({ at: 8, host: 'hpc', mode: 'draining' });
      expect([first.seq, events[0]?.seq, last.seq, other.seq]).toEqual([1, 2, 3, 4]);
      expect(await store.hostModes()).toEqual([other, last]);
      const all = await store.listEvents({ since: 0, limit: 3 });
      expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(await store.listEvents({ since: 0, limit: 9, task: task.id })).toHaveLength(1);
      expect(await store.lastSeq()).toBe(4);
    });

    it('events come in order, from a number on, of one task where asked', async () => {
      const [a, b] = [aTask(), aTask()];
      await store.insert([aChange(a), aChange(b)]);
      await store.commit(
        aChange(moved(a, staging()), { events: [anEvent(a, { kind: 'placed' })] }),
      );
      const kinds = async (query: { since: number; limit: number; task?: TaskId }) =>
        (await store.listEvents(query)).map((event) =>
          'mode' in event
            ? [event.seq, event.host, event.mode]
            : [event.seq, event.task, event.kind],
        );
      const all = [
        [1, a.id, 'submitted'],
        [2, b.id, 'submitted'],
        [3, a.id, 'placed'],
      ];
      expect(await kinds({ since: 0, limit: 9 })).toEqual(all);
      expect(await kinds({ since: 1, limit: 1 })).toEqual([all[1]]);
      expect(await kinds({ since: 0, limit: 9, task: a.id })).toEqual([all[0], all[2]]);
    });
  });

  describe(`${name}: forgetting`, () => {
    it('an ended task goes with its events, orders and key; event numbers never come again', async () => {
      const clean = { kind: 'clean', attempt: 1 } as const;
      const task = aTask({ state: succeeded() });
      await store.insert([aChange(task, { effects: [clean] })], { key: 'k', digest: 'd' });
      await store.forget([task.id, 'unknown' as TaskId]);
      expect(await store.getTask(task.id)).toBeUndefined();
      expect(await store.loadLive()).toEqual({ tasks: [], effects: [], unreadable: [] });
      expect(await store.listEvents({ since: 0, limit: 9 })).toEqual([]);
      expect(await store.lastSeq()).toBe(1);
      const again = await store.insert([aChange(aTask())], { key: 'k', digest: 'other' });
      expect(again).toMatchObject({ created: true, events: [{ seq: 2 }] });
    });

    it('to forget a task that goes on is a bug', async () => {
      const [ended, live] = [aTask({ state: succeeded() }), aTask()];
      await store.insert([aChange(ended), aChange(live)]);
      await expect(store.forget([ended.id, live.id])).rejects.toThrow(/only ended tasks/);
      expect(await store.getTask(ended.id)).toEqual(ended);
    });
  });
}

function aFailingState() {
  const failure = { code: 'INTERNAL', message: 'm', hint: 'h', context: {} } as const;
  return { attempt: 1, host: 'vm', since: NOW, published: false, failure };
}
