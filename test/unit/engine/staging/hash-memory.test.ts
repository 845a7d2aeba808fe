/** Goal: a file that did not change is hashed once, and one that may have changed is hashed again. Method: real files, a clock of the test's own. */
import { createHash } from 'node:crypto';
import { rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askDisk } from '../../../../src/engine/disk/disk.ts';
import { createHashMemory } from '../../../../src/engine/staging/hash-memory.ts';
import { listInputs } from '../../../../src/engine/staging/local-inputs.ts';
import { openMemoryStore } from '../../../contract/store-memory.ts';
import { temporaryDirectory } from '../../../support/engine-parts.ts';
import { until } from '../../../support/until.ts';

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');

async function house({ ageMs = 60_000, store = openMemoryStore() } = {}) {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, 'first');
  let reads = 0;
  const memory = () =>
    createHashMemory(
      store,
      () => Date.now() + ageMs,
      (files) => {
        reads += files.length;
        return askDisk('hashFiles', [files]);
      },
    );
  const hashLocal = memory();
  /** As it is staged: listed, then hashed. */
  const stage = async (hash = hashLocal): Promise<string> => {
    const [entry] = await listInputs([{ source: { kind: 'file', path }, target: 'x' }]);
    if (entry?.kind !== 'file') throw new Error('no file');
    const [sha256 = ''] = await hash([entry]);
    return sha256;
  };
  /** By a memory that knows what is in the store alone. */
  const again = async () => {
    const before = reads;
    const sha256 = await stage(memory());
    return { sha256, reads: reads - before };
  };
  return { path, stage, reads: () => reads, hashLocal, again };
}

test('a file that stays as it is is read once, by however many tasks', async () => {
  const { stage, reads } = await house();
  expect(await Promise.all([stage(), stage(), stage()])).toEqual(Array(3).fill(sum('first')));
  expect(await stage()).toBe(sum('first'));
  expect(reads()).toBe(1);
});

test('one that was written again is read again, even with its old size and time', async () => {
  const { path, stage, reads } = await house();
  const then = new Date(1_000_000_000_000);
  await utimes(path, then, then);
  await stage();
  await writeFile(path, 'other');
  await utimes(path, then, then);
  expect(await stage()).toBe(sum('other'));
  await writeFile(`${path}.new`, 'third');
  await utimes(`${path}.new`, then, then);
  await rename(`${path}.new`, path);
  expect(await stage()).toBe(sum('third'));
  expect(reads()).toBe(3);
});

test('one that was changed just now is not remembered', async () => {
  const { stage, reads } = await house({ ageMs: 0 });
  await stage();
  await stage();
  expect(reads()).toBe(2);
});

test('one that changes while it is read is not remembered by what it was before', async () => {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, 'first');
  let reads = 0;
  const hashLocal = createHashMemory(
    openMemoryStore(),
    () => Date.now() + 60_000,
    async (files) => {
      reads += 1;
      if (reads === 1) await writeFile(path, 'other');
      return askDisk('hashFiles', [files]);
    },
  );
  const [entry] = await listInputs([{ source: { kind: 'file', path }, target: 'x' }]);
  if (entry?.kind !== 'file') throw new Error('no file');
  await hashLocal([entry]);
  await hashLocal([entry]);
  expect(reads).toBe(2);
});

test('inline content is hashed here', async () => {
  const { hashLocal, reads } = await house();
  const from = { kind: 'bytes', bytes: Buffer.from('x') } as const;
  const twice = [
    { from, bytes: 1 },
    { from, bytes: 1 },
  ];
  expect([await hashLocal(twice), reads()]).toEqual([[sum('x'), sum('x')], 0]);
});

test('what one daemon has read the next one need not read, unless it was changed or had just been', async () => {
  const store = openMemoryStore();
  const first = await house({ store });
  await first.stage();
  await until(async () => (await first.again()).reads === 0);
  await writeFile(first.path, 'other');
  expect(await first.again()).toEqual({ sha256: sum('other'), reads: 1 });
  const young = await house({ store, ageMs: 0 });
  await young.stage();
  expect(await young.again()).toEqual({ sha256: sum('first'), reads: 1 });
});
