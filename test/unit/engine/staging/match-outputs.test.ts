/** Goal: exactly the declared files are taken, and nothing hostile gets through. Method: remote trees as data. */
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { globBase } from '../../../../src/domain/globs.ts';
import { matchOutput } from '../../../../src/engine/staging/match-outputs.ts';
import type { DirectoryEntry } from '../../../../src/remote/host.ts';
import { entry } from '../../../support/fake-host.ts';

type Tree = Record<string, DirectoryEntry[]>;

const TREE: Tree = {
  '.': [
    entry('a.txt', 'file', { size: 3, mode: 0o755 }),
    entry('b.txt'),
    entry('.hidden.txt'),
    entry('sub', 'directory'),
    entry('link', 'symlink'),
    entry('pipe', 'other'),
    entry('empty', 'directory'),
    entry('[x]'),
  ],
  sub: [entry('c.txt'), entry('deep', 'directory'), entry('link.txt', 'symlink')],
  'sub/deep': [entry('d.txt'), entry('e.log')],
  empty: [],
};

function listing(tree: Tree) {
  const listed: string[] = [];
  const list = async (path: string): Promise<DirectoryEntry[]> => {
    const directory = path === '' ? '.' : path;
    listed.push(directory);
    const entries = tree[directory];
    if (entries === undefined) throw new AppError('SFTP_NOT_FOUND', directory);
    return entries;
  };
  return { list, listed };
}

const match = (pattern: string, local = '/out', tree: Tree = TREE) =>
  matchOutput({ pattern, local, overwrite: false }, listing(tree).list);
const files = async (pattern: string, local?: string): Promise<string[] | undefined> =>
  (await match(pattern, local))?.files.map((file) => `${file.relative} > ${file.local}`);

describe('a path', () => {
  test('names one file, under the local name or in the local directory, with its size and mode', async () => {
    expect(await match('a.txt', '/out/name')).toMatchObject({
      files: [{ relative: 'a.txt', local: '/out/name', size: 3, mode: 0o755 }],
      directories: [],
    });
    expect(await files('./sub//c.txt', '/out/')).toEqual(['sub/c.txt > /out/c.txt']);
  });

  test('names a directory with all that is in it, empty ones included; links are passed over and said', async () => {
    const matched = await match('sub');
    expect(matched?.files.map(({ local }) => local)).toEqual([
      '/out/c.txt',
      '/out/deep/d.txt',
      '/out/deep/e.log',
    ]);
    expect(matched?.directories).toEqual(['/out', '/out/deep']);
    expect(matched?.passedOver).toEqual(['sub/link.txt']);
    expect((await match('empty'))?.directories).toEqual(['/out']);
  });

  test('"." is the whole work directory', async () => {
    const matched = await match('.');
    expect(matched?.files).toHaveLength(7);
    expect(matched?.passedOver).toEqual(['sub/link.txt', 'link', 'pipe']);
  });

  test.each(['nowhere', 'sub/nowhere', 'nowhere/x', 'a.txt/x'])(
    '%s that is not there is missing',
    async (path) => {
      expect(await match(path)).toBeUndefined();
    },
  );

  test.each(['link', 'pipe', 'link/x', 'sub/link.txt'])(
    '%s that is or goes through a link is refused',
    async (path) => {
      await expect(match(path)).rejects.toMatchObject({ code: 'OUTPUT_UNSAFE' });
    },
  );
});

describe('a glob', () => {
  test.each<[string, string[]]>([
    ['*.txt', ['a.txt > /out/a.txt', 'b.txt > /out/b.txt']],
    ['?.txt', ['a.txt > /out/a.txt', 'b.txt > /out/b.txt']],
    ['{a,z}.txt', ['a.txt > /out/a.txt']],
    ['[ab].txt', ['a.txt > /out/a.txt', 'b.txt > /out/b.txt']],
    ['sub/*.txt', ['sub/c.txt > /out/c.txt']],
    ['*/deep/*', ['sub/deep/d.txt > /out/sub/deep/d.txt', 'sub/deep/e.log > /out/sub/deep/e.log']],
    ['sub/**/*.txt', ['sub/c.txt > /out/c.txt', 'sub/deep/d.txt > /out/deep/d.txt']],
  ])('%s', async (pattern, expected) => {
    expect(await files(pattern)).toEqual(expected);
  });

  test('** reaches every level, hidden names only when they are named', async () => {
    const found = (await files('**/*.txt')) ?? [];
    expect(found).toContain('sub/deep/d.txt > /out/sub/deep/d.txt');
    expect(found.some((file) => file.includes('.hidden'))).toBe(false);
    expect(await files('.*.txt')).toEqual(['.hidden.txt > /out/.hidden.txt']);
  });

  test('what matches nothing is missing, and links that match are passed over and said', async () => {
    expect(await match('*.nothing')).toBeUndefined();
    expect(await match('nowhere/*')).toBeUndefined();
    expect(await match('a.txt/*')).toBeUndefined();
    expect((await match('sub/*'))?.passedOver).toEqual(['sub/link.txt']);
  });

  test('a glob below a link is refused', async () => {
    await expect(match('link/*')).rejects.toMatchObject({ code: 'OUTPUT_UNSAFE' });
  });

  test('directories deeper than it can match are not listed', async () => {
    const { list, listed } = listing(TREE);
    await matchOutput({ pattern: '*.txt', local: '/out', overwrite: false }, list);
    expect(listed).toEqual(['.']);
  });

  test('it begins at the parts before the first special character', () => {
    expect(['a/b/*.txt', '*.txt', 'a/{b,c}/d', 'a/b?/c'].map(globBase)).toEqual([
      'a/b',
      '.',
      'a',
      'a',
    ]);
  });
});

describe('a hostile host', () => {
  test.each(['..', '.', '', 'a/b', '/etc/passwd', 'a\nb', 'a\u0000b', 'a\u001b[2J', '\u007f'])(
    'a name like %j is refused, also when nothing wants it',
    async (name) => {
      const tree = { '.': [entry(name)] };
      for (const pattern of ['.', '*', '**/x']) {
        await expect(match(pattern, '/out', tree)).rejects.toMatchObject({ code: 'OUTPUT_UNSAFE' });
      }
    },
  );

  test('names that only look odd are let in as they are', async () => {
    const odd = ['-rf', 'a b', "it's", '$(x)', '名前', '..a', 'a\\b'];
    const matched = await match('.', '/out', { '.': odd.map((name) => entry(name)) });
    expect(matched?.files.map(({ local }) => local)).toEqual(odd.map((name) => `/out/${name}`));
  });

  test('a tree without a bottom ends', async () => {
    const list = async (): Promise<DirectoryEntry[]> => [entry('d', 'directory')];
    await expect(
      matchOutput({ pattern: '**/x', local: '/out', overwrite: false }, list),
    ).rejects.toMatchObject({ code: 'OUTPUT_UNSAFE', message: expect.stringContaining('64 deep') });
  });

  test('more files than anybody wants are refused', async () => {
    const many = Array.from({ length: 20_001 }, (_, i) => entry(`f${i}`));
    await expect(match('*', '/out', { '.': many })).rejects.toMatchObject({
      code: 'OUTPUT_LIMIT',
      message: expect.stringContaining('20000'),
    });
    const wide = Array.from({ length: 1_000 }, (_, i) => entry(`d${i}`, 'directory'));
    const none = Array.from({ length: 1_000 }, (_, i) => entry(`link${i}`, 'symlink'));
    const list = async (path: string) => (path === '.' ? wide : none);
    await expect(
      matchOutput({ pattern: '*/x', local: '/out', overwrite: false }, list),
    ).rejects.toMatchObject({ code: 'OUTPUT_LIMIT', message: expect.stringContaining('names') });
  });

  test('trouble while listing is told as it is, not as a missing output', async () => {
    const broken = () => Promise.reject(new AppError('SSH_CONNECTION_LOST', 'the link broke'));
    await expect(
      matchOutput({ pattern: 'a', local: '/out', overwrite: false }, broken),
    ).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  });
});
