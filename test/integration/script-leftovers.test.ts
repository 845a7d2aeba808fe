/**
 * Goal: what no task needs goes from a host, and nothing else: not what is linked, young, of another
 * daemon, or not of Towline. Method: the real text in every sh there is, on a root made by the real first
 * contact; time is turned back with touch, for a change of status there is no clock but the real one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { leftoversText, parseLeftovers } from '../../src/script/leftovers.ts';
import { probeText } from '../../src/script/probe.ts';
import { runText, SHELLS } from '../support/shells.ts';

const MINE = 'd4a3c7f0-0000-4000-8000-000000000001';
const OTHER = 'd4a3c7f0-0000-4000-8000-000000000002';
const object = (byte: string): string => `${byte.repeat(32)}-0444`;
const [UNUSED, LINKED, YOUNG, RACED] = ['0a', '0b', '0c', '0d'].map(object) as [
  string,
  string,
  string,
  string,
];
const PACK = `pack-${'0f'.repeat(32)}`;

async function house(shell: readonly string[]) {
  const dir = await mkdtemp('/tmp/towline leftovers ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const root = join(dir, 'ro ot');
  const env = { ...process.env, HOME: dir };
  await runText(probeText({ rootTemplate: '~/ro ot', runtime: 'none' }), shell, env);
  const put = async (path: string, text = '', old = true): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
    if (old) age(join(root, path));
  };
  const age = (path: string): void => void execFileSync('touch', ['-h', '-d', '2001-01-01', path]);
  const sweep = async (remove: boolean, before = '') => {
    const text = leftoversText({
      ...{ root, daemonId: MINE, imageDirectory: `${root}/images`, nonce: 'aa' },
      ...{ olderThanMs: 86_400_000, remove },
    });
    // An age that every change of status has.
    const aged = text.replaceAll('-cmin "+$age"', `-cmin -1 ! -name ${YOUNG}`);
    expect(aged).not.toBe(text);
    const { output } = await runText(`${before}\n${aged}`, shell, env);
    return parseLeftovers(output, { host: 'h' });
  };
  const all = async () => (await readdir(root, { recursive: true })).toSorted();
  return { dir, root, put, age, sweep, all };
}

async function filled(shell: readonly string[]) {
  const here = await house(shell);
  const { root, put, age } = here;
  await put(`store/${UNUSED}`, 'unused');
  await chmod(join(root, 'store', UNUSED), 0o444);
  await put(`store/${LINKED}`, 'linked');
  await put(`store/${YOUNG}`, 'young', false);
  await put(`tasks/${MINE}/abc.1/spec.json`, `{"format":1,"digest":"x","token":"abc.1"}\n`);
  await mkdir(join(root, `tasks/${MINE}/abc.1/inputs`));
  await link(join(root, 'store', LINKED), join(root, `tasks/${MINE}/abc.1/inputs/a`));
  await put('store/notes.txt', "somebody's own");
  await put(`store/.part/${UNUSED}.${MINE}`, 'half');
  await put(`store/.part/${UNUSED}.${OTHER}`, 'half of another');
  await put(`store/.part/${LINKED}.${MINE}`, 'half', false);
  await put(`store/.part/${PACK}.${MINE}`, 'half');
  await put(`store/.part/${PACK}.${MINE}.d.n1/${UNUSED}`, 'unpacked');
  age(join(root, `store/.part/${PACK}.${MINE}.d.n1`));
  await put(`store/.part/${PACK}.${OTHER}`, 'half of another');
  await put(`store/.part/${PACK}.${MINE}.d.n2/${UNUSED}`, 'young', false);
  await put(`tasks/${MINE}/.abc.2.0f0f/half`, 'x'.repeat(10_000));
  await chmod(join(root, 'store', LINKED), 0o444);
  await link(join(root, 'store', LINKED), join(root, `tasks/${MINE}/.abc.2.0f0f/input`));
  age(join(root, `tasks/${MINE}/.abc.2.0f0f`));
  await put(`tasks/${MINE}/.abc.3.0f0f/half`, 'young', false);
  await put(`tasks/${OTHER}/.abc.2.0f0f/half`);
  age(join(root, `tasks/${OTHER}/.abc.2.0f0f`));
  // batches of jobs: one whose attempts are gone, one of an attempt that is there, a young one
  await put(`tasks/${MINE}/.jobs/gone/map`, 'xyz.1 0 0 0\nxyz.2 0 0 0\n');
  age(join(root, `tasks/${MINE}/.jobs/gone`));
  await put(`tasks/${MINE}/.jobs/there/map`, 'xyz.1 0 0 0\nabc.1 0 0 0\n');
  age(join(root, `tasks/${MINE}/.jobs/there`));
  await put(`tasks/${MINE}/.jobs/young/map`, 'xyz.1 0 0 0\n', false);
  await put(`tasks/${MINE}/.ended/old.1`);
  await put(`tasks/${MINE}/.ended/new.1`, '', false);
  await put('.own.1.abc/x', "somebody's own");
  age(join(root, '.own.1.abc'));
  await put('images/.pull-failed-0f/result', '1 255\n');
  await put('images/.pull-running-0f/owner', '1 n 1 1 b m h\n');
  await put('images/.old-key-0f/image.sif', 'half');
  age(join(root, 'images/.old-key-0f'));
  await put('images/.part-key.0f.d.far/image.sif', 'half');
  age(join(root, 'images/.part-key.0f.d.far'));
  await put('images/.part-key.0f.d.near/image.sif', 'somebody is at it', false);
  age(join(root, 'images/.part-key.0f.d.near'));
  await put('images/key.sif', 'sif');
  await symlink('/etc', join(root, 'images/.old-link-0f'));
  return here;
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('a look counts and changes nothing; a removal takes just what was counted', async () => {
    const { root, sweep, all } = await filled(shell);
    const before = await all();
    const seen = await sweep(false);
    expect(seen.found.map(({ kind, count }) => [kind, count])).toEqual([
      ['objects', 1],
      ['parts', 3],
      ['unpublished', 2],
      ['marks', 1],
      ['pulls', 3],
    ]);
    expect(seen.found[0]).toMatchObject({ bytes: 6 });
    expect(await all()).toEqual(before);
    expect(await sweep(true)).toEqual(seen);
    const left = await all();
    expect(before.filter((name) => !left.includes(name))).toEqual(
      [
        'images/.old-key-0f',
        'images/.old-key-0f/image.sif',
        'images/.part-key.0f.d.far',
        'images/.part-key.0f.d.far/image.sif',
        'images/.pull-failed-0f',
        'images/.pull-failed-0f/result',
        `store/${UNUSED}`,
        `store/.part/${UNUSED}.${MINE}`,
        `store/.part/${PACK}.${MINE}`,
        `store/.part/${PACK}.${MINE}.d.n1`,
        `store/.part/${PACK}.${MINE}.d.n1/${UNUSED}`,
        `tasks/${MINE}/.abc.2.0f0f`,
        `tasks/${MINE}/.jobs/gone`,
        `tasks/${MINE}/.jobs/gone/map`,
        `tasks/${MINE}/.abc.2.0f0f/input`,
        `tasks/${MINE}/.abc.2.0f0f/half`,
        `tasks/${MINE}/.ended/old.1`,
      ].toSorted(),
    );
    expect(existsSync('/etc/passwd')).toBe(true);
    expect((await sweep(true)).found).toEqual([]);
    // what it shared with others is as it was
    expect((await stat(join(root, 'store', LINKED))).mode & 0o777).toBe(0o444);
  });

  test('an object that a launch links just then gets its name back', async () => {
    const { root, put, sweep } = await house(shell);
    await put(`store/${RACED}`, 'raced');
    // The launch comes between the look at the links and the new name.
    const race = `mv() { ln "$1" '${root}/launched'; command mv "$@"; }`;
    expect((await sweep(true, race)).found).toEqual([]);
    expect(existsSync(join(root, 'store', RACED))).toBe(true);
    expect(existsSync(join(root, 'launched'))).toBe(true);
    expect((await readdir(join(root, 'store'))).toSorted()).toEqual(['.part', RACED]);
  });

  test('a root without our marker is not looked into', async () => {
    const { root, put, sweep } = await house(shell);
    await put(`store/${UNUSED}`, 'unused');
    await rm(join(root, 'towline-root.json'));
    await expect(sweep(true)).rejects.toMatchObject({ code: 'HOST_COMMAND_FAILED' });
    expect(existsSync(join(root, 'store', UNUSED))).toBe(true);
  });
});
