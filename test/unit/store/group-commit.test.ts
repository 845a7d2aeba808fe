/**
 * Goal: changes that arrive together reach the disk together, and fail alone.
 * Method: many at once through the Store; the group itself on a database that runs full.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Task } from '../../../src/domain/task.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { commitGroup } from '../../../src/store/group-commit.ts';
import { openStore } from '../../../src/store/open.ts';
import type { WriteRequest } from '../../../src/store/requests.ts';
import { aChange, anEvent, aSpec, aTask, moved, staging } from '../../contract/store-tasks.ts';
import { temporaryDir } from './temporary.ts';

async function openTemporary() {
  const dir = await temporaryDir();
  const { store } = await openStore({ stateDir: dir });
  onTestFinished(() => store.close());
  return { store, dir };
}

describe('changes that arrive together', () => {
  it('a hundred at once take few transactions', async () => {
    const { store } = await openTemporary();
    const tasks = Array.from({ length: 100 }, () => aTask());
    await store.insert(tasks.map((task) => aChange(task)));
    const before = store.counters();
    await Promise.all(tasks.map((task) => store.commit(aChange(moved(task, staging())))));
    const after = store.counters();
    expect(after.changes - before.changes).toBe(100);
    expect(after.transactions - before.transactions).toBeLessThanOrEqual(10);
  });

  it('one that is a bug is refused, the others are kept, and event numbers have no gap', async () => {
    const { store } = await openTemporary();
    const tasks = Array.from({ length: 30 }, () => aTask());
    const results = await Promise.allSettled(
      tasks.map((task, index) => {
        const foreign = anEvent(aTask());
        // The bad ones fail after they have written something.
        return store.insert([aChange(task, index % 3 === 0 ? { events: [foreign] } : {})]);
      }),
    );
    for (const [index, result] of results.entries()) {
      const task = tasks[index] ?? aTask();
      const [status, stored] = index % 3 === 0 ? ['rejected', undefined] : ['fulfilled', task];
      expect(result.status).toBe(status);
      expect(await store.getTask(task.id)).toEqual(stored);
    }
    expect(await store.lastSeq()).toBe(20);
  });

  it('the changes of one task, sent without waiting, are applied in their order', async () => {
    const { store } = await openTemporary();
    let task = aTask();
    const sent: Promise<unknown>[] = [store.insert([aChange(task)])];
    for (let i = 0; i < 50; i++) {
      task = moved(task, staging(`host${i}`));
      sent.push(store.commit(aChange(task)));
    }
    await Promise.all(sent);
    expect(await store.getTask(task.id)).toEqual(task);
  });

  it('what is asked before closing is answered, what is asked after it is refused', async () => {
    const { store } = await openStore({ stateDir: await temporaryDir() });
    const asked = Array.from({ length: 20 }, () => store.insert([aChange(aTask())]));
    // The fault points let one turn of the microtasks pass before a change is sent.
    await store.lastSeq();
    await store.close();
    await expect(Promise.all(asked)).resolves.toHaveLength(20);
    await expect(store.lastSeq()).rejects.toMatchObject({ code: 'DAEMON_STOPPING' });
  });
});

describe('a group on a full disk', () => {
  it('is undone as a whole, and the next one goes through when there is space again', async () => {
    const db = openDatabase(join(await temporaryDir(), 'db'), 0);
    onTestFinished(() => db.close());
    const small = aTask();
    const big = aTask({ spec: aSpec({ env: { BIG: 'x'.repeat(1 << 20) } }) });
    const insert = (task: Task): WriteRequest => ({ op: 'insert', changes: [aChange(task)] });
    const pages = Number(db.get('PRAGMA page_count')?.['page_count']);
    db.exec(`PRAGMA max_page_count = ${pages + 8}`);

    const full = commitGroup(db, [insert(small), insert(big)], 'd');
    expect(full.outcomes).toMatchObject([{ error: { errcode: 13 } }, { error: { errcode: 13 } }]);
    expect(full.broken).toBeUndefined();
    expect(db.inTransaction).toBe(false);
    expect(db.get('SELECT count(*) AS n FROM tasks')).toEqual({ n: 0 });

    db.exec('PRAGMA max_page_count = 1000000');
    const free = commitGroup(db, [insert(small), insert(big)], 'd');
    expect(free.outcomes).toMatchObject([
      { value: { created: true } },
      { value: { created: true } },
    ]);
  });
});

describe('the database', () => {
  it('is opened so that a commit survives a loss of power', async () => {
    const db = openDatabase(join(await temporaryDir(), 'db'), 0);
    onTestFinished(() => db.close());
    expect(db.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(db.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
    expect(db.get('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 });
    expect(db.get('PRAGMA busy_timeout')).toEqual({ timeout: 5000 });
  });

  it('keeps its log bounded however much is written', async () => {
    const { store, dir } = await openTemporary();
    let task = aTask({ spec: aSpec({ env: { BIG: 'x'.repeat(100_000) } }) });
    await store.insert([aChange(task)]);
    for (let i = 0; i < 200; i++) {
      const events = [anEvent(task, { data: { text: 'x'.repeat(100_000) } })];
      task = moved(task, staging());
      await store.commit({ task, events, effects: [] });
    }
    const { size } = await stat(join(dir, 'towline.sqlite-wal'));
    expect(size).toBeLessThanOrEqual(8 * 1024 * 1024);
  });
});
