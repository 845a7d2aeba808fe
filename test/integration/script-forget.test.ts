/**
 * Goal: leaving a host takes everything of ours and nothing else. Method: real texts on this machine, in
 * every sh there is, on a root made by the real first contact.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { forgetText, parseForget } from '../../src/script/forget.ts';
import { probeText } from '../../src/script/probe.ts';
import { runText, SHELLS } from '../support/shells.ts';

const MINE = 'd4a3c7f0-0000-4000-8000-000000000001';
const OTHER = 'd4a3c7f0-0000-4000-8000-000000000002';
const OBJECT = `${'0a'.repeat(32)}-0444`;
const PACK = `pack-${'0a'.repeat(32)}`;

async function house(shell: readonly string[]) {
  const dir = await mkdtemp('/tmp/towline forget ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const root = join(dir, 'ro ot');
  const env = { ...process.env, HOME: dir };
  await runText(probeText({ rootTemplate: '~/ro ot', runtime: 'none' }), shell, env);
  const put = async (path: string, text = ''): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const attempt = async (daemon: string, token: string): Promise<void> => {
    await put(
      `tasks/${daemon}/${token}/spec.json`,
      `{"format":1,"digest":"x","token":"${token}"}\n`,
    );
    await put(`tasks/${daemon}/${token}/work/result`, 'x'.repeat(10_000));
    await put(`tasks/${daemon}/.ended/old.1`);
  };
  await attempt(MINE, 'abc.1');
  await put(`tasks/${MINE}/.abc.2.0f0f/half`);
  await put(
    'images/key.json',
    '{"format":1,"reference":"docker://x","sha256":"a","bytes":1,"at":1}\n',
  );
  await put('images/key.sif', 'sif');
  await put('images/.pull-other/result', 'failed');
  await put('images/.part-other.0f.d.far/image.sif', 'half');
  await put(`store/${OBJECT}`, 'object');
  await put(`store/.part/${OBJECT}.${MINE}`, 'half');
  await put(`store/.part/${PACK}.${MINE}`, 'half');
  await put(`store/.part/${PACK}.${MINE}.d.n1/${OBJECT}`, 'unpacked');
  const forget = async (remove: boolean) => {
    const plan = { rootTemplate: '~/ro ot', daemonId: MINE, nonce: 'aa', remove };
    return parseForget((await runText(forgetText(plan), shell, env)).output, { host: 'h' });
  };
  const all = () => readdir(root, { recursive: true });
  return { dir, root, put, attempt, forget, all };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('a look changes nothing; then everything of ours goes, the root last; then there is none', async () => {
    const { dir, root, forget, all } = await house(shell);
    const before = (await all()).toSorted();
    const seen = await forget(false);
    expect(seen).toMatchObject({ root, attempts: 1, images: 1, objects: 4, gone: false });
    expect(seen).toMatchObject({ others: [], foreign: [], kept: [] });
    expect(seen?.bytes).toBeGreaterThan(10_000);
    expect((await all()).toSorted()).toEqual(before);
    expect(await forget(true)).toMatchObject({ attempts: 1, images: 1, objects: 4, gone: true });
    expect(await readdir(dir)).toEqual([]);
    expect(await forget(true)).toBeUndefined();
  });

  test('what is not ours stays, is named, and keeps the root and its marker', async () => {
    const { root, put, forget, all } = await house(shell);
    await put('notes.txt', 'mine');
    await put('images/own.sif', 'mine');
    await put('store/notes', 'mine');
    await put(`tasks/${MINE}/data/file`, 'mine');
    const foreign = ['images/own.sif', 'notes.txt', 'store/notes', `tasks/${MINE}/data`];
    const trace = await forget(true);
    expect(trace?.foreign.toSorted()).toEqual(foreign);
    expect(trace).toMatchObject({ gone: false, attempts: 1 });
    const files = [];
    for (const name of await all()) if ((await stat(join(root, name))).isFile()) files.push(name);
    expect(files.toSorted()).toEqual([
      'images/own.sif',
      'notes.txt',
      'store/notes',
      `tasks/${MINE}/data/file`,
      'towline-root.json',
    ]);
  });

  test('what another daemon may use stays: its attempts, and all that is shared', async () => {
    const { attempt, forget, all } = await house(shell);
    await attempt(OTHER, 'zzz.1');
    expect(await forget(true)).toMatchObject({
      others: [OTHER],
      attempts: 1,
      images: 0,
      gone: false,
    });
    const left = await all();
    expect(left).toContain(`tasks/${OTHER}/zzz.1/work/result`);
    expect(left).toContain('images/key.sif');
    expect(left).toContain('towline-root.json');
    expect(left.filter((name) => name.includes(MINE) && name.startsWith('tasks'))).toEqual([]);
  });

  test('images stay while a pull into them is under way, whatever is pulled elsewhere', async () => {
    const { dir, root, forget, all } = await house(shell);
    const pull = (cwd: string): ChildProcess => {
      const child = spawn('sleep', ['60'], { cwd, env: { ...process.env, TOWLINE_PULL: 'k.n' } });
      onTestFinished(() => void child.kill('SIGKILL'));
      return child;
    };
    const ours = pull(join(root, 'images'));
    pull(dir);
    expect(await forget(true)).toMatchObject({ kept: ['images: a pull is under way'] });
    expect(await all()).toContain('images/key.sif');
    const gone = once(ours, 'exit');
    ours.kill('SIGKILL');
    await gone;
    expect(await forget(true)).toMatchObject({ kept: [], gone: true });
  });

  test('no link is followed, and no root without our marker is touched', async () => {
    const { dir, root, put, forget } = await house(shell);
    await mkdir(join(dir, 'shared'));
    await writeFile(join(dir, 'shared', 'key.sif'), 'x');
    await rm(join(root, 'images'), { recursive: true });
    await symlink(join(dir, 'shared'), join(root, 'images'));
    await expect(forget(true)).rejects.toMatchObject({ code: 'HOST_ROOT_INVALID' });
    expect(await readdir(join(dir, 'shared'))).toEqual(['key.sif']);
    await rm(join(root, 'images'));
    await put('towline-root.json', '{"format":1,"other":"thing"}\n');
    await expect(forget(true)).rejects.toMatchObject({ message: /no marker of Towline/ });
  });
});
