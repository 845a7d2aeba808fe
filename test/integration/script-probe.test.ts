/**
 * Goal: the first contact makes a root of ours, and never takes one that is not. Method: real texts on
 * this machine, in every sh there is.
 */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HostFacts, parseProbe, probeText } from '../../src/script/probe.ts';
import { runText, SHELLS } from '../support/shells.ts';

type Ask = (
  rootTemplate: string,
  more?: { runtime?: string; setup?: string },
) => Promise<HostFacts>;

async function home(shell: readonly string[]): Promise<{ dir: string; ask: Ask }> {
  const dir = await mkdtemp('/tmp/towline probe ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'apptainer'), '#!/bin/sh\necho "apptainer version 1.4.5"\n', {
    mode: 0o755,
  });
  const env = {
    ...process.env,
    HOME: dir,
    SCRATCH: `${dir}/scr $(x)`,
    PATH: `${dir}:${process.env['PATH']}`,
  };
  const ask: Ask = async (rootTemplate, more = {}) => {
    const text = probeText({ rootTemplate, runtime: 'apptainer', ...more });
    return parseProbe((await runText(text, shell, env)).output, { host: 'h' });
  };
  return { dir, ask };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('what a killed probe has left goes; that of a process that lives, or of another machine, stays', async () => {
    const { dir, ask } = await home(shell);
    const { root } = await ask('~/root');
    const gone = 4_194_305; // above the highest pid there can be
    const dead = [`.probe.${gone}.${hostname()}.t`, `.probe.${gone}.${hostname()}`];
    const others = [`.probe.${process.pid}.${hostname()}`, `.probe.${gone}.elsewhere`];
    for (const name of [...dead, ...others, '.probe.doctor.1'])
      await mkdir(join(root, name, 'x'), { recursive: true });
    await ask('~/root');
    const left = (await readdir(join(dir, 'root'))).filter((name) => name.startsWith('.probe.'));
    expect(left.toSorted()).toEqual([...others, '.probe.doctor.1'].toSorted());
  });

  test('a root is made with mode 0700 and marked, and found again', async () => {
    const { dir, ask } = await home(shell);
    for (let round = 0; round < 2; round += 1) {
      const facts = await ask('$SCRATCH/tow line/');
      expect(facts).toMatchObject({
        root: `${dir}/scr $(x)/tow line`,
        user: userInfo().username,
        uid: userInfo().uid,
        tools: { mvNoTarget: true, setsid: true, sha256sum: true, stat: true },
        runtime: { path: join(dir, 'apptainer'), version: 'apptainer version 1.4.5' },
      });
      expect(facts.cpus).toBeGreaterThan(0);
      expect(facts.memoryBytes).toBeGreaterThan(1e6);
      expect(facts.freeBytes).toBeGreaterThan(1e6);
      expect((await stat(facts.root)).mode & 0o777).toBe(0o700);
      expect((await readdir(facts.root)).sort()).toEqual([
        'images',
        'store',
        'tasks',
        'towline-root.json',
      ]);
      expect(
        JSON.parse(await readFile(join(facts.root, 'towline-root.json'), 'utf8')),
      ).toMatchObject({ format: 1 });
    }
  });

  test('ten first contacts at once agree', async () => {
    const { ask } = await home(shell);
    const found = await Promise.all(Array.from({ length: 10 }, () => ask('~/root')));
    expect(new Set(found.map((facts) => facts.root)).size).toBe(1);
  });

  test.each([
    ['a symbolic link', async (root: string) => symlink('/tmp', root)],
    [
      'written by others',
      async (root: string) => void (await mkdir(root), await chmod(root, 0o770)),
    ],
    [
      'not empty',
      async (root: string) => void (await mkdir(root), await writeFile(`${root}/thesis.tex`, '')),
    ],
    [
      'another version',
      async (root: string) =>
        void (await mkdir(root),
        await writeFile(`${root}/towline-root.json`, '{"format":2,"towline":"root"}\n')),
    ],
    [
      'not of Towline',
      async (root: string) =>
        void (await mkdir(root), await writeFile(`${root}/towline-root.json`, 'x\n')),
    ],
    ['not a directory', async (root: string) => writeFile(root, '')],
  ])('a root that is %s is refused and left as it is', async (why, make) => {
    const { dir, ask } = await home(shell);
    await make(`${dir}/root`);
    await expect(ask('~/root')).rejects.toMatchObject({
      code: 'HOST_ROOT_INVALID',
      message: expect.stringContaining(
        why === 'written by others' ? 'can be written by others' : why,
      ),
    });
  });

  test.each([
    ['755', '700'],
    ['2750', '2700'],
  ])('a root of mode %s, made by hand or later, is shut: %s', async (made, shut) => {
    const { dir, ask } = await home(shell);
    const root = `${dir}/root`;
    await mkdir(root);
    for (let round = 0; round < 2; round += 1) {
      await chmod(root, Number.parseInt(made, 8));
      await ask('~/root');
      expect(((await stat(root)).mode & 0o7777).toString(8)).toBe(shut);
    }
  });

  test('a root that its file system leaves open to others is refused', async () => {
    const { dir, ask } = await home(shell);
    await mkdir(`${dir}/root`, { mode: 0o755 });
    await writeFile(join(dir, 'chmod'), '#!/bin/sh\n', { mode: 0o755 });
    await expect(ask('~/root')).rejects.toMatchObject({
      code: 'HOST_ROOT_INVALID',
      message: expect.stringContaining('can be read by others'),
    });
  });

  test('the home itself is refused', async () => {
    const { ask } = await home(shell);
    await expect(ask('~')).rejects.toMatchObject({ code: 'HOST_ROOT_INVALID' });
  });

  test('setup may print and set the PATH; a missing runtime is a fact, not an error', async () => {
    const { dir, ask } = await home(shell);
    await mkdir(`${dir}/opt`);
    await writeFile(`${dir}/opt/singularity`, '#!/bin/sh\necho singularity-ce version 4\n', {
      mode: 0o755,
    });
    const setup = `echo '@ noise'; PATH="$HOME/opt:$PATH"`;
    expect((await ask('~/root', { runtime: 'singularity', setup })).runtime?.path).toBe(
      `${dir}/opt/singularity`,
    );
    expect((await ask('~/root', { runtime: 'no-runtime' })).runtime).toBeUndefined();
    await expect(ask('~/root', { setup: 'if (' })).rejects.toThrow(/setup is not valid shell/);
  });
});

test('a variable that is not set is refused before anything is made', async () => {
  const text = probeText({ rootTemplate: '$SCRATCH/x', runtime: 'a' });
  const { output } = await runText(text, ['sh'], { PATH: process.env['PATH'], SCRATCH: '' });
  expect(output).toBe('@ refused $SCRATCH is not set on the host\n');
  expect(() => parseProbe(output, { host: 'h' })).toThrow(/SCRATCH is not set/);
});

test.each(['relative', '~bob/x', '', '$USER/x', '/a\nb'])(
  'the template %j is refused',
  (rootTemplate) => {
    expect(() => probeText({ rootTemplate, runtime: 'a' })).toThrow(/must begin with/);
  },
);
