/**
 * Goal: a database that any version wrote opens for ever, with every state, event and order in it.
 * Method: the recorded ones of test/fixtures/store (see test/support/record-store.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EFFECT_KINDS } from '../../../src/domain/effects.ts';
import { STATE_KINDS } from '../../../src/domain/state.ts';
import { MIGRATIONS } from '../../../src/store/migrate.ts';
import { openStore } from '../../../src/store/open.ts';
import { everyState } from '../../contract/store-tasks.ts';
import { EVENT_KINDS, fixtureOf, makeDatabase } from '../../support/record-store.ts';
import { temporaryDir } from './temporary.ts';

/** The statements that make tables and indexes, without their layout. */
function schemaOf(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare('SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name')
    .all();
  db.close();
  return rows.map(({ sql }) => String(sql).replaceAll(/--.*|\s+/g, ' '));
}

it('every schema is on record', () => {
  // A red test here: record it with node test/support/record-store.ts, and keep the file for ever.
  for (const { number } of MIGRATIONS) expect(existsSync(fixtureOf(number))).toBe(true);
});

describe.each(MIGRATIONS.map(({ number }) => number))('a database of schema %i', (schema) => {
  async function open() {
    const dir = await temporaryDir();
    const path = join(dir, 'towline.sqlite');
    makeDatabase(path, readFileSync(fixtureOf(schema), 'utf8'));
    const { store } = await openStore({ stateDir: dir, machineId: 'recorded' });
    onTestFinished(() => store.close());
    return { store, path };
  }

  it('is read back whole', async () => {
    const { store } = await open();
    const { tasks } = await store.listTasks({ limit: 99 });
    expect(tasks.map(({ state }) => state).toReversed()).toEqual(everyState());
    expect(tasks.map(({ state }) => state.kind).toSorted()).toEqual(STATE_KINDS.toSorted());
    for (const { spec } of tasks) expect(spec.env).toEqual({ QUOTE: "it's" });
    const live = await store.loadLive();
    expect(live.unreadable).toEqual([]);
    // what was not there when they were recorded
    const isOld = schema < 5;
    const ordered = EFFECT_KINDS.filter((kind) => !isOld || kind !== 'finish');
    expect(live.effects.map(({ kind }) => kind)).toEqual(ordered);
    const events = await store.listEvents({ since: 0, limit: 99 });
    const kinds = events.flatMap((event) => ('kind' in event ? [event.kind] : []));
    const later = isOld ? /^(?:(?:pull|hook)-|reused|job-)/ : /^job-/;
    const recorded = EVENT_KINDS.filter((kind) => !later.test(kind));
    expect(kinds.slice(0, recorded.length)).toEqual(recorded);
  });

  it('goes on: what is new is written into it, and old event numbers never come again', async () => {
    const { store } = await open();
    const last = await store.lastSeq();
    expect(last).toBeGreaterThan(EVENT_KINDS.length - 4);
    const { seq } = await store.setHostMode({ at: 1, host: 'other', mode: 'paused' });
    expect(seq).toBe(last + 1);
    const [task] = (await store.listTasks({ limit: 1 })).tasks;
    if (task === undefined) throw new Error('no task');
    const event = { at: 1, task: task.id, attempt: 2, kind: 'cleaned', state: 'x', data: {} };
    const next = { ...task, version: task.version + 1 };
    expect(await store.commit({ task: next, events: [event], effects: [] })).toMatchObject([
      { seq: seq + 1 },
    ]);
  });

  it('has the schema of a new one in the end', async () => {
    const { path } = await open();
    const dir = await temporaryDir();
    await (await openStore({ stateDir: dir })).store.close();
    expect(schemaOf(path)).toEqual(schemaOf(join(dir, 'towline.sqlite')));
  });
});
