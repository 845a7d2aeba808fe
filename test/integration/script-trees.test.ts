/**
 * Goal: a tree that is there whole is known by its hash alone, and any doubt about it is told as such. Method: the real
 * texts in every sh there is, on a store with objects of the test's own.
 */
import { createHash } from 'node:crypto';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { haveObjectsText, parseHaveObjects } from '../../src/script/objects.ts';
import { haveTreeText, noteTreeLines, parseHaveTree, treeHash } from '../../src/script/trees.ts';
import { runText, SHELLS } from '../support/shells.ts';

const DAEMON = 'd4a3c7f0-0000-4000-8000-000000000001';

async function house(shell: readonly string[], count = 900) {
  const dir = await mkdtemp('/tmp/towline trees ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const root = join(dir, "ro'ot");
  const store = join(root, 'store');
  await mkdir(join(store, '.part'), { recursive: true });
  const names = Array.from(
    { length: count },
    (_, n) => `${createHash('sha256').update(`${n}`).digest('hex')}-0444`,
  ).toSorted();
  const tree = treeHash(names);
  for (const name of names) await writeFile(join(store, name), name);
  const say = async (text: string) => (await runText(text, shell)).output;
  const ask = async (): Promise<boolean> =>
    parseHaveTree(await say(haveTreeText({ root, tree })), { host: 'h' });
  /** As a task asks that does not know the tree yet. */
  const askByNames = async (asked = names): Promise<number> => {
    const more = noteTreeLines({ root, daemonId: DAEMON, tree });
    const output = await say(haveObjectsText({ root, daemonId: DAEMON, names: asked, more }));
    return parseHaveObjects(output, { host: 'h', names: asked }).present.size;
  };
  return { store, names, list: join(store, `${tree}-0444`), ask, askByNames };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('once it was asked for by its names it is known by its hash, and is an object like others', async () => {
    const { store, names, list, ask, askByNames } = await house(shell);
    expect(await ask()).toBe(false);
    expect(await askByNames()).toBe(names.length);
    expect(await ask()).toBe(true);
    const { mode, nlink } = await stat(list);
    expect([mode & 0o777, nlink]).toEqual([0o444, 1]);
    expect(treeHash((await readFile(list, 'utf8')).trim().split('\n'))).toBe(list.slice(-69, -5));
    expect(await readdir(join(store, '.part'))).toEqual([]);
    expect(await askByNames()).toBe(names.length);
    expect(await ask()).toBe(true);
  });

  test('what is used by it is used just now: gc leaves it', async () => {
    const { store, names, list, ask, askByNames } = await house(shell);
    await askByNames();
    const paths = [list, join(store, names[7] ?? '')];
    const long = new Date(1_000_000_000_000);
    for (const path of paths) await utimes(path, long, long);
    await ask();
    for (const path of paths) expect((await stat(path)).mtimeMs).toBeGreaterThan(long.getTime());
  });

  test('with one object less it is not there', async () => {
    const { store, names, ask, askByNames } = await house(shell);
    await askByNames();
    await rm(join(store, names[450] ?? ''));
    expect(await ask()).toBe(false);
    expect(await askByNames()).toBe(names.length - 1);
  });

  test('a list that lost its end is believed by nobody', async () => {
    const { list, names, ask, askByNames } = await house(shell);
    await askByNames();
    await chmod(list, 0o600);
    const text = await readFile(list, 'utf8');
    await writeFile(list, text.slice(0, 70 * 20));
    expect(await ask()).toBe(false);
    await appendFile(list, text.slice(70 * 20));
    expect(await ask()).toBe(true);
    expect(await askByNames(names.slice(0, 9))).toBe(9);
  });

  test('a list of other names is not noted, and one that is being made is left alone', async () => {
    const { store, names, list, ask, askByNames } = await house(shell);
    await askByNames(names.slice(1));
    expect([await ask(), await readdir(join(store, '.part'))]).toEqual([false, []]);
    const part = join(store, '.part', `${list.slice(-69)}.${DAEMON}`);
    await writeFile(part, 'another one is at it');
    expect(await askByNames()).toBe(names.length);
    expect([await ask(), await readFile(part, 'utf8')]).toEqual([false, 'another one is at it']);
  });
});
