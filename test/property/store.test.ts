/**
 * Goal: whatever is asked of the store at once and in whatever order, it holds what a plain map
 * would, and its events have no gap, also after it was closed and opened again.
 * Method: rounds of random changes, all of a round sent without waiting, against a model.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isEnded } from '../../src/domain/state.ts';
import type { Task, TaskId } from '../../src/domain/task.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import {
  aChange,
  anEvent,
  aSpec,
  aTask,
  everyState,
  moved,
  succeeded,
} from '../contract/store-tasks.ts';

type Step = {
  kind: 'insert' | 'commit' | 'bad-commit' | 'end' | 'forget' | 'replay';
  pick: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'insert',
    'insert',
    'commit',
    'commit',
    'bad-commit',
    'end',
    'forget',
    'replay',
  ),
  pick: fc.nat(1_000),
});

class Model {
  readonly tasks = new Map<TaskId, Task>();
  events = 0;

  /** Sends one step and says what must come of it. */
  send(store: Store, { kind, pick }: Step): Promise<unknown> {
    const task = [...this.tasks.values()][pick % Math.max(1, this.tasks.size)];
    if (kind === 'insert' || task === undefined) return this.#insert(store, pick);
    switch (kind) {
      case 'commit':
        return this.#commit(store, moved(task, everyState()[pick % 14] ?? task.state));
      case 'end':
        return this.#commit(store, moved(task, succeeded()));
      case 'bad-commit':
        return assert.rejects(
          store.commit(aChange({ ...task, version: task.version + 2 })),
          /stored with/,
        );
      case 'forget':
        if (!isEnded(task.state)) return assert.rejects(store.forget([task.id]), /only ended/);
        this.tasks.delete(task.id);
        return store.forget([task.id]);
      case 'replay':
        return this.#replay(store, task);
    }
  }

  async check(store: Store): Promise<void> {
    const expected = [...this.tasks.values()];
    assert.deepEqual((await store.listTasks({ limit: 1_000 })).tasks, expected.toReversed());
    for (const task of expected) {
      const last = (await store.listEvents({ since: 0, limit: 1_000, task: task.id })).at(-1);
      assert(last !== undefined && 'data' in last);
      assert.deepEqual(last.data, { version: task.version });
    }
    assert.equal(await store.lastSeq(), this.events);
  }

  async #insert(store: Store, pick: number): Promise<void> {
    const idempotencyKey = `key-${this.events}`;
    const task = aTask({ spec: aSpec({ tags: { pick: String(pick) } }), idempotencyKey });
    this.tasks.set(task.id, task);
    this.events += 1;
    const change = aChange(task, { events: [anEvent(task, { data: { version: 1 } })] });
    const result = await store.insert([change], { key: idempotencyKey, digest: task.id });
    assert.equal(result.created, true);
  }

  async #commit(store: Store, task: Task): Promise<void> {
    this.tasks.set(task.id, task);
    this.events += 1;
    const seq = this.events;
    const events = [anEvent(task, { kind: 'moved', data: { version: task.version } })];
    const written = await store.commit({ task, events, effects: [] });
    assert.equal(written[0]?.seq, seq);
  }

  async #replay(store: Store, task: Task): Promise<void> {
    const key = task.idempotencyKey ?? '';
    const result = await store.insert([aChange(aTask())], { key, digest: task.id });
    assert.deepEqual(result, { created: false, tasks: [task], events: [] });
  }
}

it('the store agrees with a map over rounds of concurrent changes and reopenings', async () => {
  const rounds = fc.array(fc.array(step, { maxLength: 30 }), { maxLength: 4 });
  const property = fc.asyncProperty(rounds, async (all) => {
    const dir = await mkdtemp(join(tmpdir(), 'towline-store-'));
    const model = new Model();
    let { store } = await openStore({ stateDir: dir });
    try {
      for (const round of all) {
        await Promise.all(round.map((each) => model.send(store, each)));
        await model.check(store);
        await store.close();
        ({ store } = await openStore({ stateDir: dir }));
        await model.check(store);
      }
    } finally {
      await store.close();
      await rm(dir, { recursive: true });
    }
  });
  await expect(fc.assert(property, { numRuns: 6 })).resolves.toBeUndefined();
});
