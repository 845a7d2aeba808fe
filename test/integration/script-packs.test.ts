/**
 * Goal: small objects that come as one archive are in the store whole, checked and read-only, or not at all, and
 * nothing of the archive stays. Method: the real texts in every sh there is, on archives of the real writer.
 */
import { execFileSync } from 'node:child_process';
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
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type LocalMember, packStream } from '../../src/engine/staging/pack-stream.ts';
import { haveObjectsText } from '../../src/script/objects.ts';
import {
  dropPackText,
  packName,
  packPath,
  packsThereLines,
  parsePacksThere,
  parseUnpack,
  unpackText,
} from '../../src/script/packs.ts';
import { runText, SHELLS } from '../support/shells.ts';

const DAEMON = 'd4a3c7f0-0000-4000-8000-000000000001';

function member(text: string, mode = '0444'): LocalMember {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    ...{ name: `${sha256}-${mode}`, sha256, bytes: bytes.length, label: text.slice(0, 9) },
    mode: Number.parseInt(mode, 8),
    from: { kind: 'bytes', bytes },
  };
}

async function archive(members: readonly LocalMember[], offset = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packStream(members, offset)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function house(shell: readonly string[], count = 40) {
  const dir = await mkdtemp('/tmp/towline packs ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const root = join(dir, "ro'ot");
  await mkdir(join(root, 'store/.part'), { recursive: true });
  const texts = ['', 'x'.repeat(511), 'y'.repeat(512), 'z'.repeat(70_000), '\0\n"\'$(id)'];
  const members = Array.from({ length: count }, (_, n) => texts[n] ?? `text ${n}`).map((text, n) =>
    member(text, n % 3 === 0 ? '0555' : '0444'),
  );
  const objects = members.map(({ name }) => name);
  const place = { root, daemonId: DAEMON, pack: packName(objects) };
  const bin = join(dir, 'bin');
  await mkdir(bin);
  // not the shell alone: its tar, find, sha256sum, sync and ln, too
  if (shell[0] === 'busybox') execFileSync(shell[0], ['--install', '-s', bin]);
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  const say = async (text: string) => (await runText(text, shell, env)).output;
  const unpack = async () =>
    parseUnpack(await say(unpackText({ ...place, nonce: 'a1', objects })), { host: 'h' }).kind;
  const put = async (bytes: Buffer): Promise<void> => writeFile(packPath(place), bytes);
  /** A tool of the host that does as the lines say. */
  const tool = async (name: string, lines: string): Promise<void> => {
    await rm(join(bin, name), { force: true });
    await writeFile(join(bin, name), `#!/bin/sh\n${lines}\n`);
    await chmod(join(bin, name), 0o755);
  };
  const stored = async () =>
    (await readdir(join(root, 'store'))).filter((name) => name !== '.part').toSorted();
  const parts = () => readdir(join(root, 'store/.part'));
  return { root, members, objects, place, say, unpack, put, tool, stored, parts };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('all objects get their names, bytes and modes, and nothing else stays', async () => {
    const { root, members, objects, unpack, put, stored, parts } = await house(shell);
    await put(await archive(members));
    expect(await unpack()).toBe('published');
    expect(await stored()).toEqual(objects.toSorted());
    expect(await parts()).toEqual([]);
    for (const { name, from } of members) {
      const path = join(root, 'store', name);
      expect(await readFile(path)).toEqual(from.kind === 'bytes' ? from.bytes : undefined);
      const { mode, nlink } = await stat(path);
      expect([(mode & 0o7777).toString(8), nlink]).toEqual([name.slice(-3), 1]);
    }
    expect(await unpack()).toBe('gone');
  });

  test('an object that is there already is left as it is, and the others come beside it', async () => {
    const { root, members, objects, unpack, put, stored } = await house(shell);
    const there = join(root, 'store', objects[3] ?? '');
    await writeFile(there, 'another daemon was first');
    await put(await archive(members));
    expect(await unpack()).toBe('published');
    expect(await stored()).toEqual(objects.toSorted());
    expect(await readFile(there, 'utf8')).toBe('another daemon was first');
  });

  test('what was left of a pack is told, gone on with and dropped', async () => {
    const { members, place, say, unpack, put, root, parts } = await house(shell);
    const whole = await archive(members);
    const left = 70_123;
    await put(whole.subarray(0, left));
    const text = haveObjectsText({
      ...{ root, daemonId: DAEMON, names: [] },
      more: packsThereLines(DAEMON),
    });
    const query = { host: 'h', daemonId: DAEMON };
    expect(parsePacksThere(await say(text), query)).toEqual(new Map([[place.pack, left]]));
    const rest = await archive(members, left);
    expect(Buffer.concat([whole.subarray(0, left), rest]).equals(whole)).toBe(true);
    await appendFile(packPath(place), rest);
    expect(await unpack()).toBe('published');
    await put(whole);
    await mkdir(`${packPath(place)}.d.0`);
    await say(dropPackText(place));
    expect(await parts()).toEqual([]);
    expect(parsePacksThere(await say(text), query)).toEqual(new Map());
  });

  test.each([
    ['an altered byte', (bytes: Buffer) => bytes.fill(1, 4_000, 4_001)],
    ['a missing end', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['one object less', (bytes: Buffer) => bytes.subarray(512)],
    ['no archive at all', () => Buffer.alloc(9_000, 7)],
  ])('%s: no object gets a name and nothing stays', async (_what, spoil) => {
    const { members, unpack, put, stored, parts } = await house(shell);
    await put(spoil(await archive(members)));
    const said = await unpack().catch((error: Error) => error.message);
    expect(said).toMatch(/mismatch|unpacking/);
    expect(await stored()).toEqual([]);
    expect(await parts()).toEqual([]);
  });

  test('a full disk is told, and what came of the pack is removed', async () => {
    const { members, unpack, put, tool, stored, parts } = await house(shell);
    await tool('tar', "echo 'tar: x: Cannot write: No space left on device' >&2; exit 2");
    await put(await archive(members));
    expect(await unpack()).toBe('nospace');
    expect([await stored(), await parts()]).toEqual([[], []]);
  });

  test('where the tools are older, it goes another way', async () => {
    const { members, objects, unpack, put, tool, stored, parts } = await house(shell);
    await tool('sync', '[ $# -eq 0 ]');
    await tool('mv', 'case $1 in -n) exit 1 ;; esac; exec cp -p "$1" "$2"');
    await put(await archive(members));
    expect(await unpack()).toBe('published');
    expect([await stored(), await parts()]).toEqual([objects.toSorted(), []]);
  });

  test('what an earlier run was cut off in is removed', async () => {
    const { members, place, unpack, put, parts } = await house(shell);
    await mkdir(`${packPath(place)}.d.earlier`);
    await writeFile(`${packPath(place)}.d.earlier/half`, 'x');
    await put(await archive(members));
    expect(await unpack()).toBe('published');
    expect(await parts()).toEqual([]);
  });

  test('without tar nothing is packed', async () => {
    const { root } = await house(shell);
    const bin = join(root, 'few');
    await mkdir(bin);
    for (const name of ['wc', 'touch']) {
      const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      await symlink(path, join(bin, name));
    }
    const text = haveObjectsText({
      ...{ root, daemonId: DAEMON, names: [] },
      more: packsThereLines(DAEMON),
    });
    const { output } = await runText(`PATH='${bin.replaceAll("'", "'\\''")}'\n${text}`, shell);
    expect(parsePacksThere(output, { host: 'h', daemonId: DAEMON })).toBeUndefined();
  });
});
