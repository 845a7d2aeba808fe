/**
 * Databases as each schema left them, for ever in test/fixtures/store: schema-N.sql is a text that makes
 * one with a task in every state, every kind of event and order, and what hosts were told. Record that of
 * a new schema, once, with: node test/support/record-store.ts
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EFFECT_KINDS } from '../../src/domain/effects.ts';
import type { TaskEvent } from '../../src/domain/events.ts';
import type { TaskId } from '../../src/domain/task.ts';
import { MIGRATIONS } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { aChange, anEvent, aSpec, aTask, everyState, NOW } from '../contract/store-tasks.ts';

/** The compiler asks for every one. */
const EVENTS: Record<TaskEvent['kind'] | 'submitted', true> = {
  submitted: true,
  'cancel-asked': true,
  'retry-asked': true,
  'hold-asked': true,
  released: true,
  'gc-asked': true,
  'predecessor-ended': true,
  placed: true,
  staged: true,
  'image-ready': true,
  'pull-started': true,
  'pull-failed': true,
  'pull-not-asked': true,
  'pull-finished': true,
  'image-gone': true,
  'inputs-gone': true,
  launched: true,
  exited: true,
  died: true,
  collected: true,
  gone: true,
  cleaned: true,
  'hook-ended': true,
  blocked: true,
  unblocked: true,
  'step-failed': true,
  reused: true,
  'job-submitted': true,
};
export const EVENT_KINDS = Object.keys(EVENTS);

/** The file of a schema. */
export function fixtureOf(schema: number): string {
  return join(import.meta.dirname, `../fixtures/store/schema-${schema}.sql`);
}

/** Makes a database from the text of a fixture. */
export function makeDatabase(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** What stands in a fixture, as today's store gives it. */
export async function fillFixture(stateDir: string): Promise<void> {
  const { store } = await openStore({ stateDir, machineId: 'recorded', now: () => NOW });
  try {
    const tasks = everyState().map((state) =>
      aTask({
        id: `of-state-${state.kind}` as TaskId,
        state,
        spec: aSpec({
          name: `was ${state.kind}`,
          env: { QUOTE: "it's" },
          tags: { kind: state.kind },
        }),
      }),
    );
    const [first, ...others] = tasks.map((task) => aChange(task));
    if (first === undefined) throw new Error('no states');
    const events = EVENT_KINDS.map((kind) => anEvent(first.task, { kind, data: { of: kind } }));
    const effects = EFFECT_KINDS.map((kind) => ({ kind, attempt: 2 }));
    await store.insert([{ ...first, events, effects }], { key: 'recorded', digest: 'd' });
    await store.insert(others);
    await store.setHostMode({ at: NOW, host: 'vm', mode: 'draining' });
  } finally {
    await store.close();
  }
}

/** The whole database as statements that make it anew. */
export function dump(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db
      .prepare(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
      )
      .all();
    const made = tables.map(({ sql }) => `${String(sql)};`);
    const names = tables.map(({ name }) => String(name));
    const rows = names.flatMap((name) => rowsOf(db, name));
    // Counted while the rows go in; these are the counts that were.
    const counts = ['DELETE FROM sqlite_sequence;', ...rowsOf(db, 'sqlite_sequence')];
    const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
    const head = ['PRAGMA foreign_keys = OFF;', `PRAGMA user_version = ${String(version)};`];
    return `${[...head, ...made, ...rows, ...counts].join('\n')}\n`;
  } finally {
    db.close();
  }
}

function rowsOf(db: DatabaseSync, table: string): string[] {
  const isTable = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  if (isTable.get(table) === undefined) return [];
  return db
    .prepare(`SELECT * FROM ${table}`)
    .all()
    .map((row) => {
      const values = Object.values(row).map((value) =>
        typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value ?? 'NULL'),
      );
      return `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${values.join()});`;
    });
}

async function record(): Promise<void> {
  const schema = MIGRATIONS.length;
  if (existsSync(fixtureOf(schema))) throw new Error(`schema ${schema} is on record already`);
  const dir = mkdtempSync(join(tmpdir(), 'towline-record-'));
  try {
    await fillFixture(dir);
    const path = join(dir, 'towline.sqlite');
    makeDatabase(path, "UPDATE meta SET home_path = '/recorded/towline.sqlite', home_inode = '7'");
    writeFileSync(fixtureOf(schema), dump(path));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (import.meta.main) await record();
