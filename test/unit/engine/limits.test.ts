/** Goal: what the daemon holds has an end, and whoever goes beyond is told. Method: real parts on a store in memory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIST_ENTRIES_MAX } from '../../../src/domain/limits.ts';
import type { Task, TaskId } from '../../../src/domain/task.ts';
import { createAdmission } from '../../../src/engine/admission.ts';
import type { LiveEvent } from '../../../src/engine/service.ts';
import { listInputs } from '../../../src/engine/staging/local-inputs.ts';
import { createSubscribers } from '../../../src/engine/subscribers.ts';
import { listDirectory } from '../../../src/remote/sftp/list.ts';
import type { SftpSession } from '../../../src/remote/sftp/session.ts';
import { aTask } from '../../support/builders.ts';
import { openBooks, someSettings, temporaryDirectory } from '../../support/engine-parts.ts';

const tasks = (...ids: string[]): Task[] => ids.map((id) => aTask({ held: true }, id));

test('a full queue refuses new tasks, not the repetition of a submission it has', async () => {
  const { ledger } = openBooks();
  const key = { key: 'k', digest: 'd' };
  await ledger.insert(tasks('a', 'b'), key, 3);
  await expect(ledger.insert(tasks('c', 'd'), undefined, 3)).rejects.toMatchObject({
    code: 'QUEUE_FULL',
    message: 'there is room for 1 more unfinished tasks, not for 2',
  });
  expect((await ledger.insert(tasks('x', 'y'), key, 2)).created).toBe(false);
  await ledger.apply('a' as TaskId, { kind: 'cancel-asked' });
  await ledger.insert(tasks('c', 'd'), undefined, 3);
  expect(ledger.unfinished()).toBe(3);
});

test('submissions that come at once do not share the last room', async () => {
  const { ledger } = openBooks();
  const results = await Promise.allSettled(
    ['a', 'b', 'c', 'd'].map((id) => ledger.insert(tasks(id), undefined, 2)),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
});

test('a retry needs room in the queue, too, and a disk without room takes no work', async () => {
  const { ledger } = openBooks();
  const settings = someSettings([]);
  let free: number | undefined = 99;
  const admission = createAdmission({
    ...{ ledger, settings: () => settings, stopping: () => false },
    freeBytes: async () => free,
  });
  await ledger.insert(tasks('a'));
  settings.limits.queue = 1;
  expect(() => admission.refuseFullQueue()).toThrow('there are 1 unfinished tasks');
  settings.limits.minFreeBytes = 100;
  await expect(admission.admit()).rejects.toMatchObject({ code: 'STORE_FULL' });
  free = 100;
  await admission.admit();
  free = undefined;
  await admission.admit();
});

test('who asks for events that are not kept any more is told so, once; who asks from the beginning is not', async () => {
  const { ledger, store } = openBooks();
  const subscribers = createSubscribers(store, () => 0);
  for (const id of ['a', 'b', 'c', 'd', 'e']) await ledger.insert(tasks(id));
  await store.pruneEvents({ keep: 2, before: 0 });
  const told = async (since: number, task?: string): Promise<LiveEvent[]> => {
    const { signal } = new AbortController();
    const seen: LiveEvent[] = [];
    const want = { since, follow: false, task: task as TaskId | undefined, signal };
    for await (const event of subscribers.follow(want)) seen.push(event);
    return seen;
  };
  const kept = [{ seq: 4 }, { seq: 5 }];
  expect(await told(1)).toMatchObject([{ type: 'gap', since: 1, to: 3 }, ...kept]);
  expect(await told(3)).toMatchObject(kept);
  expect(await told(0)).toMatchObject(kept);
  expect(await told(1, 'e')).toMatchObject([{ type: 'gap', since: 1, to: 3 }, { seq: 5 }]);
  // A task that was forgotten took its events along; those of another task are whole.
  await ledger.apply('d' as TaskId, { kind: 'cancel-asked' });
  await store.forget(['d' as TaskId]);
  expect(await told(3)).toMatchObject([{ type: 'gap', since: 3, to: 6 }, { seq: 5 }]);
  expect(await told(3, 'e')).toMatchObject([{ seq: 5 }]);
});

test('a page of big tasks ends early, and the pages together are all of them', async () => {
  const { ledger, store } = openBooks();
  const big = { BIG: 'x'.repeat(3 << 20) };
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) await ledger.insert([aTask({ held: true, env: big }, id)]);
  const seen: string[] = [];
  const lengths: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listTasks({ limit: 100, cursor });
    lengths.push(page.tasks.length);
    seen.push(...page.tasks.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(ids.toReversed());
  expect(Math.max(...lengths)).toBe(2);
});

test('a directory that never ends is not read to its end', async () => {
  let batches = 0;
  let closed = false;
  const attrs = { size: 1, mode: 0o100644, mtime: 0 };
  const batch = Array.from({ length: 100 }, (_, i) => ({ filename: `f${i}`, attrs }));
  const session = {
    openDirectory: async () => Buffer.alloc(4),
    readDirectory: async () => {
      batches += 1;
      return batch;
    },
    close: async () => void (closed = true),
  } as unknown as SftpSession;
  await expect(listDirectory(session, '/d')).rejects.toMatchObject({ code: 'OUTPUT_LIMIT' });
  // one more may have been asked for ahead
  expect(batches).toBeLessThanOrEqual(LIST_ENTRIES_MAX / 100 + 2);
  expect(closed).toBe(true);
});

test('an input directory with too many files, or too deep, is refused and not held', async () => {
  const dir = await temporaryDirectory();
  const source = { kind: 'directory', path: dir } as const;
  await mkdir(join(dir, ...Array.from({ length: 70 }, () => 'd')), { recursive: true });
  await expect(listInputs([{ source, target: 'in' }])).rejects.toMatchObject({
    code: 'STAGE_LIMIT',
    message: expect.stringContaining('64 deep'),
  });
  const wide = join(dir, 'wide');
  await mkdir(wide);
  await writeFile(join(wide, 'one'), '');
  const inline = { kind: 'content', base64: '' } as const;
  const many = Array.from({ length: 19_999 }, (_, i) => ({ source: inline, target: `f${i}` }));
  const last = { source: { kind: 'directory', path: wide } as const, target: 'in' };
  await expect(listInputs([...many, last])).rejects.toMatchObject({
    code: 'STAGE_LIMIT',
    message: expect.stringContaining('20000 files'),
  });
});
