/**
 * Goal: what a task shares is held on its host as objects, without copies, and let go of by name; whatever
 * its files are called. Method: the texts run by each shell over a real root.
 */
import { chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { attemptToken, type TaskId } from '../../src/domain/task.ts';
import {
  dropHoldsText,
  heldFile,
  holdsText,
  keepText,
  parseHolds,
  parseKeep,
} from '../../src/script/kept.ts';
import { openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';

const TOKEN = attemptToken('task' as TaskId, 1);

async function house(shell: readonly string[]) {
  const bench = await openBench(shell);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  const place = { root: bench.root, daemonId: 'd1', token: TOKEN };
  const work = join(bench.dir, 'work');
  await mkdir(work);
  const file = async (name: string, text: string, mode = 0o644) => {
    await writeFile(join(work, name), text);
    await chmod(join(work, name), mode);
  };
  const keep = async (...names: string[]) => {
    const paths = names.map((name) => join(work, name));
    const output = await bench.run(keepText(place, 'n1', paths));
    return parseKeep(output, { host: 'vm', count: paths.length });
  };
  const held = async () => parseHolds(await bench.run(holdsText(place)), { host: 'vm' });
  return { bench, place, work, file, keep, held };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('%s', (_, shell) => {
  test('files become objects by links, run once or twice; links and what is gone are told', async () => {
    const { place, work, file, keep } = await house(shell);
    const odd = `-n it's "$x"\n`;
    await file(odd, 'one');
    await file('run', 'two', 0o755);
    await file('same', 'one');
    await symlink('/etc/passwd', join(work, 'link'));
    const names = [odd, 'run', 'link', 'none', 'same'];
    const first = await keep(...names);
    expect(first.map((kept) => kept?.mode)).toEqual([0o444, 0o555, undefined, undefined, 0o444]);
    expect(await keep(...names)).toEqual(first);
    const [one, two] = first;
    if (one === undefined || two === undefined) throw new Error('not kept');
    const [object, made] = await Promise.all([stat(heldFile(place, one)), stat(join(work, odd))]);
    expect([object.ino, object.nlink, object.mode & 0o777]).toEqual([made.ino, 3, 0o444]);
    expect((await stat(heldFile(place, two))).mode & 0o777).toBe(0o555);
    expect(
      (await readdir(join(place.root, 'store'))).filter((name) => name !== '.part'),
    ).toHaveLength(2);
  });

  test('an object that gc took is made again; what is let go of is gone, its objects are not', async () => {
    const { bench, place, file, keep, held } = await house(shell);
    expect(await held()).toEqual([]);
    await file('one', '1');
    const [kept] = await keep('one');
    if (kept === undefined) throw new Error('not kept');
    const store = join(place.root, 'store');
    await rm(join(store, heldFile(place, kept).split('/').at(-1) ?? ''));
    await keep('one');
    await mkdir(join(place.root, 'kept/d1/not ours'));
    expect(await held()).toEqual([TOKEN]);
    await bench.run(dropHoldsText(place, [TOKEN]));
    expect(await held()).toEqual([]);
    expect(await readdir(join(place.root, 'kept/d1'))).toEqual(['not ours']);
    expect((await readdir(store)).filter((name) => name !== '.part')).toHaveLength(1);
  });
});
