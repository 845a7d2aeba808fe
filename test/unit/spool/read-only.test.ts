/** Goal: the streams of a copied state are shown as far as they are whole, and not one byte of them changes. */
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { collect, harness, T } from './harness.ts';

async function picture(dir: string): Promise<unknown[]> {
  const names = (await readdir(dir, { recursive: true })).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const { mtimeMs, ino } = await stat(join(dir, name));
      const text = await readFile(join(dir, name), 'utf8').catch(() => 'a directory');
      return [name, text, mtimeMs, ino];
    }),
  );
}

it.each(['boot-1', 'boot-2'])('read by another daemon in %s', async (bootId) => {
  const { dir, open } = await harness();
  const first = open();
  await first.attempt(T).append('stdout', 0, Buffer.from('whole\n'));
  await first.close();
  // What came after the last checkpoint: nobody knows whether the copy has all of it.
  await appendFile(join(dir, 'spool', T, 'stdout'), 'torn');
  const before = await picture(dir);
  const copy = open({ readOnly: true, bootId });
  const attempt = copy.attempt(T);
  expect(await copy.bytes(T)).toEqual({ stdout: 6, stderr: 0 });
  const text = await collect(attempt.follow('stdout', { offset: 0, follow: false }));
  expect(text.toString()).toBe('whole\n');
  await copy.close();
  expect(await picture(dir)).toEqual(before);
});
