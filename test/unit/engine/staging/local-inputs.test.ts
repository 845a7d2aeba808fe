/** Goal: what is sent is what stands on this disk, or it is said why not. Method: a real directory. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  bytesOf,
  checkInputs,
  hashOf,
  listInputs,
} from '../../../../src/engine/staging/local-inputs.ts';
import { temporaryDirectory } from '../../../support/engine-parts.ts';

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');

async function tree(): Promise<string> {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'tree/sub'), { recursive: true });
  await mkdir(join(dir, 'tree/empty'));
  await writeFile(join(dir, 'tree/b'), 'bb');
  await writeFile(join(dir, 'tree/sub/a.sh'), 'aaa');
  await chmod(join(dir, 'tree/sub/a.sh'), 0o750);
  return dir;
}

test('a directory is every file in it with its place and mode, empty directories included, in a fixed order', async () => {
  const dir = await tree();
  await symlink('b', join(dir, 'tree/c'));
  const source = { kind: 'directory', path: join(dir, 'tree') } as const;
  const entries = await listInputs([{ source, target: 'in' }]);
  expect(
    entries.map((e) => `${e.kind} ${e.target} ${'mode' in e ? e.mode.toString(8) : ''}`),
  ).toEqual([
    'directory in ',
    'file in/b 444',
    'file in/c 444',
    'directory in/empty ',
    'directory in/sub ',
    'file in/sub/a.sh 555',
  ]);
});

test('files, inline bytes and paths of the host stand where they were asked to be', async () => {
  const dir = await tree();
  const base64 = Buffer.from('inline').toString('base64');
  const entries = await listInputs([
    { source: { kind: 'file', path: join(dir, 'tree/b') }, target: 'x' },
    { source: { kind: 'content', base64 }, target: 'y' },
    { source: { kind: 'remote', path: '/data' }, target: '/data' },
  ]);
  expect(entries).toMatchObject([
    { kind: 'file', target: 'x', bytes: 2 },
    { kind: 'file', target: 'y', bytes: 6 },
    { kind: 'remote', target: '/data', path: '/data' },
  ]);
});

test('what is missing or no regular file is told by its path', async () => {
  const dir = await tree();
  const file = (path: string) => [{ source: { kind: 'file' as const, path }, target: 'x' }];
  const missing = { code: 'STAGE_INPUT_MISSING', hint: expect.stringContaining(dir) };
  await expect(listInputs(file(join(dir, 'no')))).rejects.toMatchObject(missing);
  await expect(listInputs(file(join(dir, 'tree/b/x')))).rejects.toMatchObject(missing);
  await expect(listInputs(file(join(dir, 'tree')))).rejects.toMatchObject({
    code: 'STAGE_INPUT_UNREADABLE',
  });
});

test('a link to a directory is refused, since it could lead in a circle; a dangling one is missing', async () => {
  const dir = await tree();
  const source = { kind: 'directory', path: join(dir, 'tree') } as const;
  await symlink('..', join(dir, 'tree/up'));
  await expect(listInputs([{ source, target: 'in' }])).rejects.toMatchObject({
    code: 'STAGE_INPUT_UNREADABLE',
    message: expect.stringContaining('tree/up'),
  });
  const second = await tree();
  await symlink('nowhere', join(second, 'tree/dangling'));
  await expect(
    listInputs([{ source: { kind: 'directory', path: join(second, 'tree') }, target: 'in' }]),
  ).rejects.toMatchObject({ code: 'STAGE_INPUT_MISSING' });
});

test.each([0, 1, 5, 6, 7])(
  'from offset %i on the rest is given; the hash is of all',
  async (offset) => {
    const dir = await tree();
    await writeFile(join(dir, 'six'), 'abcdef');
    const sources = [
      { kind: 'path' as const, path: join(dir, 'six') },
      { kind: 'bytes' as const, bytes: Buffer.from('abcdef') },
    ];
    for (const from of sources) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytesOf(from, offset)) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe('abcdef'.slice(offset));
      expect(await hashOf(from)).toBe(sum('abcdef'));
    }
  },
);

test('at submit it is looked whether each input is there and is what it is said to be', async () => {
  const dir = await tree();
  const at = (kind: 'file' | 'directory', name: string) => [{ kind, path: join(dir, name) }];
  await checkInputs([...at('file', 'tree/b'), ...at('directory', 'tree')]);
  await checkInputs([{ kind: 'remote', path: '/not/here' }]);
  await expect(checkInputs(at('file', 'tree'))).rejects.toMatchObject({
    code: 'STAGE_INPUT_UNREADABLE',
  });
  await expect(checkInputs(at('directory', 'tree/b'))).rejects.toMatchObject({
    code: 'STAGE_INPUT_UNREADABLE',
  });
  await expect(checkInputs(at('file', 'no'))).rejects.toMatchObject({
    code: 'STAGE_INPUT_MISSING',
  });
});
