/**
 * Goal: a damaged database or row gets a named error and never becomes a task that is not one.
 * Method: rows are changed behind the store's back; one bad row does not hide the good ones.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import { aChange, aTask } from '../../contract/store-tasks.ts';
import { temporaryDir } from './temporary.ts';

async function withOneTask() {
  const dir = await temporaryDir();
  const { store } = await openStore({ stateDir: dir });
  onTestFinished(() => store.close());
  const [bad, good] = [aTask(), aTask()];
  await store.insert([aChange(bad, { effects: [{ kind: 'stage', attempt: 1 }] }), aChange(good)]);
  const spoil = (sql: string, ...values: SQLInputValue[]) => {
    const db = new DatabaseSync(join(dir, 'towline.sqlite'), {
      enableForeignKeyConstraints: false,
    });
    db.exec('PRAGMA ignore_check_constraints = ON');
    db.prepare(sql).run(...values);
    db.close();
  };
  return { store, bad, good, spoil };
}

describe('a damaged row', () => {
  it.each([
    ['state', '{"kind":"queued"', 'state'],
    ['state', '{"kind":"queued","attempt":1}', 'state.since'],
    ['state', '{"kind":"gone","attempt":1}', 'state.kind'],
    ['state', '{"kind":"queued","attempt":1,"since":1,"remotePid":3}', 'state'],
    ['state', '{"kind":"held","attempt":1,"since":1}', 'state.kind'],
    ['state', '{"kind":"queued","attempt":2,"since":1}', 'state.attempt'],
    ['spec', '{}', 'spec.images'],
    ['spec', 'null', 'spec'],
    ['history', '[{}]', 'history.0.attempt'],
    ['version', -1, 'version'],
    ['state_kind', 'nowhere', 'state.kind'],
  ])('whose %s is %j is named with its task and field', async (column, value, field) => {
    const { store, bad, good, spoil } = await withOneTask();
    spoil(`UPDATE tasks SET ${column} = ? WHERE id = ?`, value, bad.id);
    await expect(store.getTask(bad.id)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(`table tasks, row ${bad.id}, field ${field}`),
      context: { table: 'tasks', id: bad.id, field },
    });
    expect(await store.getTask(good.id)).toEqual(good);
  });

  it('does not keep the others from being read back, and is named', async () => {
    const { store, bad, good, spoil } = await withOneTask();
    spoil("UPDATE tasks SET state = '{' WHERE id = ?", bad.id);
    const unreadable = [{ id: bad.id, why: expect.stringContaining(`row ${bad.id}, field state`) }];
    expect(await store.loadLive()).toEqual({ tasks: [good], effects: [], unreadable });
    expect(await store.listTasks({ limit: 9 })).toEqual({ tasks: [good], unreadable });
    await expect(store.getTask(bad.id)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('of the orders takes its task with it: it would wait for ever', async () => {
    const { store, bad, good, spoil } = await withOneTask();
    spoil("UPDATE effects SET kind = 'dance'");
    const why = expect.stringContaining(`table effects, row ${bad.id}, field kind`);
    expect(await store.loadLive()).toMatchObject({
      tasks: [{ id: good.id }],
      effects: [],
      unreadable: [{ id: bad.id, why }],
    });
  });

  it('of the events is told with a note, and those after it are told', async () => {
    const { store, spoil } = await withOneTask();
    spoil("UPDATE events SET data = '[1]' WHERE seq = 1");
    const note = { unreadable: expect.stringContaining('table events, row 1, field data') };
    expect(await store.listEvents({ since: 0, limit: 9 })).toMatchObject([
      { seq: 1, data: note },
      { seq: 2, data: {} },
    ]);
  });
});

describe('a damaged file', () => {
  it('that is no database is refused', async () => {
    const dir = await temporaryDir();
    await writeFile(join(dir, 'towline.sqlite'), 'x'.repeat(10_000));
    await expect(openStore({ stateDir: dir })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(dir),
    });
  });

  it('whose own identity is spoilt is refused', async () => {
    const dir = await temporaryDir();
    await (await openStore({ stateDir: dir })).store.close();
    const db = new DatabaseSync(join(dir, 'towline.sqlite'));
    db.exec("UPDATE meta SET daemon_id = '../..'");
    db.close();
    await expect(openStore({ stateDir: dir })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      context: { table: 'meta', field: 'daemon_id' },
    });
  });
});
