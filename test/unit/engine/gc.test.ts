/** Goal: what was kept is removed when its time is over, and only then forgotten. Method: a real ledger and spool. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AttemptToken, TaskId } from '../../../src/domain/task.ts';
import { createGc } from '../../../src/engine/gc.ts';
import type { GcRequest } from '../../../src/engine/service.ts';
import { aTask, exitOf, TO_RUNNING } from '../../support/builders.ts';
import {
  openBooks,
  seatsOf,
  someSettings,
  temporaryDirectory,
  temporarySpool,
} from '../../support/engine-parts.ts';

async function house(now = 10_000) {
  const { ledger, store } = openBooks();
  const spool = await temporarySpool();
  const uploadDir = await temporaryDirectory();
  const settings = someSettings([]);
  const gc = createGc({
    ...{ ledger, store, spool, uploadDir },
    seats: await seatsOf([]),
    settings: () => settings,
    now: () => now,
  } as never);
  /** The parts that the older tests look at. */
  const run = async (request: GcRequest) => {
    const { cleaned, forgotten } = await gc(request);
    return { cleaned, forgotten };
  };
  const fail = async (id: string): Promise<void> => {
    await ledger.insert([aTask({}, id)]);
    for (const event of TO_RUNNING) await ledger.apply(id as TaskId, event);
    await ledger.apply(id as TaskId, { kind: 'exited', attempt: 1, exit: exitOf(1) });
    await spool.attempt(`${id}.1` as never).append('stdout', 0, Buffer.from('log'));
  };
  const cancel = async (id: string): Promise<void> => {
    await ledger.insert([aTask({}, id)]);
    await ledger.apply(id as TaskId, { kind: 'cancel-asked' });
  };
  return { ledger, store, spool, gc, run, settings, uploadDir, fail, cancel };
}

test('a dry run tells what would be done and does nothing', async () => {
  const { run, fail, cancel, ledger } = await house();
  await fail('kept');
  await cancel('nothing');
  expect(await run({ dryRun: true })).toEqual({ cleaned: ['kept'], forgotten: ['nothing'] });
  expect((await ledger.find('kept')).state).toMatchObject({ cleanup: 'kept' });
  expect((await ledger.find('nothing')).state.kind).toBe('cancelled');
});

test('what was kept is ordered to be removed first, and forgotten with its streams the next time', async () => {
  const { run, fail, ledger, store, spool } = await house();
  await fail('task');
  expect(await run({ olderThanMs: 0, dryRun: false })).toEqual({
    cleaned: ['task'],
    forgotten: [],
  });
  expect(ledger.orders('task' as TaskId)).toEqual([{ kind: 'clean', attempt: 1 }]);
  expect(await run({ olderThanMs: 0, dryRun: false })).toEqual({ cleaned: [], forgotten: [] });
  await ledger.apply('task' as TaskId, { kind: 'cleaned', attempt: 1 });
  expect(await run({ olderThanMs: 0, dryRun: false })).toEqual({
    cleaned: [],
    forgotten: ['task'],
  });
  expect(await store.getTask('task' as TaskId)).toBeUndefined();
  expect(await spool.bytes('task.1' as never)).toEqual({ stdout: 0, stderr: 0 });
});

test('what is younger than asked, and what has not ended, is left alone', async () => {
  const { run, fail, ledger } = await house();
  await fail('young');
  await ledger.insert([aTask({}, 'queued')]);
  expect(await run({ olderThanMs: 10_000, dryRun: false })).toEqual({ cleaned: [], forgotten: [] });
});

test('a task that is retried while it is looked through keeps what it has; the others are cleaned', async () => {
  const { run, fail, ledger } = await house();
  await fail('one');
  await fail('two');
  const apply = ledger.apply;
  let first = true;
  ledger.apply = async (id, event) => {
    if (event.kind === 'gc-asked' && first) {
      first = false;
      await apply(id, { kind: 'retry-asked' });
    }
    return apply(id, event);
  };
  await run({ olderThanMs: 0, dryRun: false });
  const cleaning = ['one', 'two'].filter((id) => ledger.orders(id as TaskId).length > 0);
  expect(cleaning).toHaveLength(1);
});

test('what is kept after its directory is gone has a time of its own', async () => {
  const { run, cancel, settings } = await house();
  await cancel('one');
  settings.defaults.keepTasksMs = 100_000;
  expect(await run({ dryRun: false })).toEqual({ cleaned: [], forgotten: [] });
  settings.defaults.keepTasksMs = 0;
  expect(await run({ dryRun: false })).toEqual({ cleaned: [], forgotten: ['one'] });
});

test('a task that is retried while it is looked through is not forgotten, and keeps its output', async () => {
  const { run, fail, ledger, spool, store } = await house();
  await fail('task');
  await run({ olderThanMs: 0, dryRun: false });
  await ledger.apply('task' as TaskId, { kind: 'cleaned', attempt: 1 });
  const forget = ledger.forget;
  ledger.forget = async (id, removal) => {
    await ledger.apply(id, { kind: 'retry-asked' });
    return forget(id, removal);
  };
  expect(await run({ olderThanMs: 0, dryRun: false })).toEqual({ cleaned: [], forgotten: [] });
  expect(await store.getTask('task' as TaskId)).toBeDefined();
  expect(await spool.bytes('task.1' as AttemptToken)).toMatchObject({ stdout: 3 });
});

test('a store that refuses leaves the output, and what a dead daemon left is found by the next run', async () => {
  const { gc, run, cancel, spool, store, ledger } = await house();
  await cancel('task');
  await spool.attempt('task.1' as AttemptToken).append('stdout', 0, Buffer.from('log'));
  const forget = ledger.forget;
  ledger.forget = () => Promise.reject(new Error('no disk'));
  await expect(run({ olderThanMs: 0, dryRun: false })).rejects.toThrow('no disk');
  expect(await spool.bytes('task.1' as AttemptToken)).toMatchObject({ stdout: 3 });
  ledger.forget = forget;
  // As if it had died between the two.
  await store.forget(['task' as TaskId]);
  const { removed } = await gc({ dryRun: false });
  expect(removed).toMatchObject([{ kind: 'streams', what: 'task.1', bytes: 3 }]);
  expect(await spool.tokens()).toEqual([]);
});

test('every removal is in the book, with its size and whose it was', async () => {
  const { run, fail, ledger, store } = await house();
  await fail('task');
  await run({ olderThanMs: 0, dryRun: false });
  await ledger.apply('task' as TaskId, { kind: 'cleaned', attempt: 1, bytes: 4096 });
  await run({ olderThanMs: 0, dryRun: true });
  await run({ olderThanMs: 0, dryRun: false });
  const daemon = store.daemonId;
  expect(await store.listRemovals(10)).toMatchObject([
    { daemon, kind: 'directory', what: 'task.1', count: 1, bytes: 4096 },
    { daemon, kind: 'task', what: 'task', count: 1, bytes: 3 },
  ]);
});

test('uploads stay as long as a task names them, and a day without', async () => {
  const now = Date.now();
  const { gc, ledger, uploadDir, settings } = await house(now);
  settings.limits.keepEventsMs = now;
  mkdirSync(uploadDir, { recursive: true });
  const [named, unnamed, fresh] = ['named', 'unnamed', 'fresh'].map((name) => {
    const path = join(uploadDir, name);
    writeFileSync(path, name);
    if (name !== 'fresh') utimesSync(path, 0, 0);
    return path;
  }) as [string, string, string];
  await ledger.insert([aTask({ stdin: { kind: 'file', path: named } }, 'task')]);
  const { removed } = await gc({ dryRun: false });
  expect(removed).toMatchObject([{ kind: 'uploads', count: 1, bytes: 7 }]);
  expect([named, unnamed, fresh].map((path) => existsSync(path))).toEqual([true, false, true]);
});

test('what is on its way to or from a storage stays as long as its task lives, and goes a day after', async () => {
  const now = Date.now();
  const { gc, ledger, uploadDir, settings, fail } = await house(now);
  settings.limits.keepEventsMs = now;
  await ledger.insert([aTask({}, 'live')]);
  await fail('ended');
  for (const name of ['live.1.out', 'live.1.in.0', 'ended.1.out', 'ended.1.in.3', 'nobody.1.out']) {
    mkdirSync(join(uploadDir, name), { recursive: true });
    writeFileSync(join(uploadDir, name, 'file'), name);
    utimesSync(join(uploadDir, name), 0, 0);
  }
  await gc({ dryRun: false });
  expect(readdirSync(uploadDir).sort()).toEqual(['live.1.in.0', 'live.1.out']);
});

test('events beyond their number or time go, and who asks for older ones is told', async () => {
  const { gc, fail, store, settings } = await house();
  await fail('one');
  const before = await store.lastSeq();
  settings.defaults.keepFailedMs = 100_000;
  settings.limits.eventsMax = 2;
  const { removed } = await gc({ dryRun: false });
  expect(removed).toMatchObject([{ kind: 'events', count: before - 2 }]);
  expect(await store.listEvents({ since: 0, limit: 100 })).toHaveLength(2);
  expect(await store.eventsGone()).toEqual({ prunedTo: before - 2, lastGone: before - 2 });
});
