/**
 * Goal: an overlay is made once for many attempts and each still has one of its own, fresh and whole. Method: the real
 * run.sh in each shell; the runtime is a fake that counts the overlays it makes and lets the command write to its own.
 */
import { chmod, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { forgetText } from '../../src/script/forget.ts';
import { leftoversText } from '../../src/script/leftovers.ts';
import { type Bench, DAEMON, openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';

const MIB = 1024 * 1024;
const overlay = { kind: 'made', bytes: 64 * MIB } as const;

async function open(shell: readonly string[]) {
  const bench = await openBench(shell);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  const made = async () =>
    (await readFile(join(bench.dir, 'bin/overlays'), 'utf8')).trim().split('\n');
  const hidden = async () =>
    (await readdir(join(bench.root, 'tasks', DAEMON))).filter((name) =>
      name.startsWith('.overlay'),
    );
  return { bench, made, hidden };
}

/** What the overlay of a new attempt had in it when its command began. */
async function run(bench: Bench, more: { fakeroot?: boolean } = {}): Promise<string> {
  const line = 'cat overlay.img; ls -A | grep [.]part; echo spoiled >overlay.img';
  const attempt = bench.attempt(line, { plan: { overlay, ...more } });
  await attempt.launch();
  expect((await attempt.ended()).exit).toMatchObject({ code: 0 });
  return attempt.read('stdout');
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('the second attempt gets a copy, whatever the first wrote to its own', async () => {
    const { bench, made, hidden } = await open(shell);
    expect([await run(bench), await run(bench), await run(bench)]).toEqual([
      'fresh\n',
      'fresh\n',
      'fresh\n',
    ]);
    expect(await made()).toHaveLength(1);
    expect(await run(bench, { fakeroot: true })).toBe('fresh\n');
    expect((await made()).at(-1)).toContain('--fakeroot');
    expect(await hidden()).toEqual(['.overlay.64.0', '.overlay.64.f']);
  });

  test('a model that cannot be copied is no hindrance', async () => {
    const { bench, made, hidden } = await open(shell);
    await run(bench);
    const bin = join(bench.dir, 'bin');
    // half a copy, then no room
    await writeFile(join(bin, 'cp'), '#!/bin/sh\necho half >"$3"\nexit 1\n');
    await chmod(join(bin, 'cp'), 0o755);
    expect(await run(bench)).toBe('fresh\n');
    expect(await made()).toHaveLength(2);
    await rm(join(bench.root, 'tasks', DAEMON, '.overlay.64.0'), { recursive: true });
    expect(await run(bench)).toBe('fresh\n');
    const left = await Promise.all(
      (await hidden()).map((name) => readdir(join(bench.root, 'tasks', DAEMON, name))),
    );
    expect(left.flat()).toEqual([]);
  });

  test('the model goes with what nobody needs, after a day, and with the end with the host', async () => {
    const { bench, hidden } = await open(shell);
    const plan = { root: bench.root, daemonId: DAEMON, imageDirectory: '~', nonce: 'aa' };
    const sweep = () =>
      bench.run(leftoversText({ ...plan, olderThanMs: 86_400_000, remove: true }));
    await run(bench);
    await sweep();
    const [name = ''] = await hidden();
    expect(name).not.toBe('');
    const old = new Date('2001-01-01');
    await utimes(join(bench.root, 'tasks', DAEMON, name), old, old);
    await sweep();
    expect(await hidden()).toEqual([]);
    await run(bench);
    const said = await bench.run(
      forgetText({ rootTemplate: bench.root, daemonId: DAEMON, nonce: 'ab', remove: true }),
    );
    expect(said).not.toContain('.overlay');
    await expect(hidden()).rejects.toThrow('ENOENT');
  });
});
