/** Goal: what was kept is removed when its time is over, and only then forgotten. Method: a real ledger and spool. */
import { expect, test } from 'vitest';
import type { TaskId } from '../../../src/domain/task.ts';
import { createGc } from '../../../src/engine/gc.ts';
import { aTask, exitOf, TO_RUNNING } from '../../support/builders.ts';
import { openBooks, someSettings, temporarySpool } from '../../support/engine-parts.ts';

async function house() {
  const { ledger, store } = openBooks();
  const spool = await temporarySpool();
  const gc = createGc({
    ledger,
    store,
    spool,
    settings: () => someSettings([]),
    now: () => 10_000,
  } as never);
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
  return { ledger, store, spool, gc, fail, cancel };
}

test('a dry run tells what would be done and does nothing', async () => {
  const { gc, fail, cancel, ledger } = await house();
  await fail('kept');
  await cancel('nothing');
  expect(await gc({ dryRun: true })).toEqual({ cleaned: ['kept'], forgotten: ['nothing'] });
  expect((await ledger.find('kept')).state).toMatchObject({ cleanup: 'kept' });
  expect((await ledger.find('nothing')).state.kind).toBe('cancelled');
});

test('what was kept is ordered to be removed first, and forgotten with its streams the next time', async () => {
  const { gc, fail, ledger, store, spool } = await house();
  await fail('task');
  expect(await gc({ olderThanMs: 0, dryRun: false })).toEqual({ cleaned: ['task'], forgotten: [] });
  expect(ledger.orders('task' as TaskId)).toEqual([{ kind: 'clean', attempt: 1 }]);
  expect(await gc({ olderThanMs: 0, dryRun: false })).toEqual({ cleaned: [], forgotten: [] });
  await ledger.apply('task' as TaskId, { kind: 'cleaned', attempt: 1 });
  expect(await gc({ olderThanMs: 0, dryRun: false })).toEqual({ cleaned: [], forgotten: ['task'] });
  expect(await store.getTask('task' as TaskId)).toBeUndefined();
  expect(await spool.bytes('task.1' as never)).toEqual({ stdout: 0, stderr: 0 });
});

test('what is younger than asked, and what has not ended, is left alone', async () => {
  const { gc, fail, ledger } = await house();
  await fail('young');
  await ledger.insert([aTask({}, 'queued')]);
  expect(await gc({ olderThanMs: 10_000, dryRun: false })).toEqual({ cleaned: [], forgotten: [] });
});

test('a task that is retried while it is looked through keeps what it has; the others are cleaned', async () => {
  const { gc, fail, ledger } = await house();
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
  await gc({ olderThanMs: 0, dryRun: false });
  const cleaning = ['one', 'two'].filter((id) => ledger.orders(id as TaskId).length > 0);
  expect(cleaning).toHaveLength(1);
});
