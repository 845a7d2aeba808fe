/** Goal: an old database is brought up to date, each step whole or not at all; a newer one is refused. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { STATE_KINDS } from '../../../src/domain/state.ts';
import { MIGRATIONS, migrate } from '../../../src/store/migrate.ts';
import { SQL } from '../../../src/store/migrations/0001-initial.ts';
import { openStore } from '../../../src/store/open.ts';
import { temporaryDir } from './temporary.ts';

const last = MIGRATIONS.length;
const second = { number: last + 1, name: 'second', sql: 'CREATE TABLE extra (a INTEGER) STRICT;' };
const broken = {
  number: last + 2,
  name: 'broken',
  sql: 'CREATE TABLE half (a INTEGER); SELECT nonsense;',
};

const version = (db: DatabaseSync) => db.prepare('PRAGMA user_version').get()?.['user_version'];
const applied = (db: DatabaseSync) =>
  db.prepare('SELECT number, name, applied_at FROM migrations ORDER BY number').all();

describe('migrations', () => {
  it('are applied once, in order, and recorded', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db, 7);
    migrate(db, 8);
    migrate(db, 9, [...MIGRATIONS, second]);
    expect(version(db)).toBe(last + 1);
    expect(applied(db)).toMatchObject([
      ...MIGRATIONS.map(({ number, name }) => ({ number, name, applied_at: 7 })),
      { number: last + 1, name: 'second', applied_at: 9 },
    ]);
  });

  it('one that fails leaves the database as it was, with those before it', () => {
    const db = new DatabaseSync(':memory:');
    expect(() => migrate(db, 7, [...MIGRATIONS, second, broken])).toThrow(/nonsense/);
    expect(version(db)).toBe(last + 1);
    expect(db.prepare("SELECT name FROM sqlite_master WHERE name = 'half'").get()).toBeUndefined();
    expect(db.isTransaction).toBe(false);
  });

  it('a newer database is refused with both numbers and left alone', async () => {
    const dir = await temporaryDir();
    await (await openStore({ stateDir: dir })).store.close();
    const db = new DatabaseSync(join(dir, 'towline.sqlite'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    await expect(openStore({ stateDir: dir })).rejects.toMatchObject({
      code: 'STORE_SCHEMA_NEWER',
      message: expect.stringMatching(new RegExp(`999.*${last}`)),
      context: { stored: 999, known: MIGRATIONS.at(-1)?.number },
    });
  });

  it('have the numbers of their files', () => {
    const dir = join(import.meta.dirname, '../../../src/store/migrations');
    const files = readdirSync(dir).toSorted();
    expect(
      MIGRATIONS.map(({ number, name }) => `${String(number).padStart(4, '0')}-${name}.ts`),
    ).toEqual(files);
    expect(MIGRATIONS.map(({ number }) => number)).toEqual(files.map((_, index) => index + 1));
  });

  it('the list of states in SQL is that of the domain', () => {
    const list = /state_kind IN \(([^)]*)\)/.exec(SQL)?.[1] ?? '';
    expect([...list.matchAll(/'(\w+)'/g)].map(([, kind]) => kind)).toEqual(STATE_KINDS);
  });
});
