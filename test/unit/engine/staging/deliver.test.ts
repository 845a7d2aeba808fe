/** Goal: at the final name there is the whole right file or what was there before. Method: a real directory, fetches that do as the test says. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  lchown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  cannotWrite,
  type Delivery,
  deliver,
  makeDirectory,
  removeParts,
} from '../../../../src/engine/staging/deliver.ts';
import { temporaryDirectory } from '../../../support/engine-parts.ts';

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');

async function house(text = 'the whole file') {
  const dir = await temporaryDirectory();
  const local = join(dir, 'out/file');
  const delivery = (more: Partial<Delivery> = {}): Delivery => ({
    local,
    mode: 0o640,
    sha256: sum(text),
    overwrite: false,
    token: 'task.1',
    ...more,
  });
  let fetches = 0;
  const fetch = async (write: (chunk: Buffer) => Promise<void>): Promise<void> => {
    fetches += 1;
    for (const part of text.match(/.{1,5}/gs) ?? []) await write(Buffer.from(part));
  };
  return {
    dir,
    local,
    delivery,
    fetch,
    fetches: () => fetches,
    names: () => readdir(join(dir, 'out')),
  };
}

test('a file gets its name whole, with the directories on the way, and nothing else is left', async () => {
  const { local, delivery, fetch, names } = await house();
  await deliver(delivery(), fetch);
  expect(await readFile(local, 'utf8')).toBe('the whole file');
  expect((await stat(local)).mode & 0o777).toBe(0o644);
  expect(await names()).toEqual(['file']);
});

test('an executable stays one; setuid and other bits do not come along', async () => {
  const { local, delivery, fetch } = await house();
  await deliver(delivery({ mode: 0o4711 }), fetch);
  expect((await stat(local)).mode & 0o7777).toBe(0o755);
});

test('an empty file is a file', async () => {
  const { local, delivery, fetch } = await house('');
  await deliver(delivery(), fetch);
  expect(await readFile(local, 'utf8')).toBe('');
});

test('what was delivered already is recognised, and not fetched again', async () => {
  const { delivery, fetch, fetches, names } = await house();
  await deliver(delivery(), fetch);
  await deliver(delivery(), fetch);
  await deliver(delivery({ overwrite: true }), fetch);
  expect(fetches()).toBe(1);
  expect(await names()).toEqual(['file']);
});

/** The state in which a daemon dies inside the delivery, as `fetch` finds it. */
async function killedWhileFetching({ delivery, local, names }: Awaited<ReturnType<typeof house>>) {
  let part = '';
  await deliver(delivery(), async (write) => {
    part = join(local, '..', (await names())[0] ?? '');
    await write(Buffer.from('the whole file'));
  });
  return part;
}

test('a part that a killed daemon left beside the whole goes when that is recognised', async () => {
  const there = await house();
  const part = await killedWhileFetching(there);
  await link(there.local, part);
  await deliver(there.delivery(), there.fetch);
  expect(there.fetches()).toBe(0);
  expect(await there.names()).toEqual(['file']);
});

test('parts of an attempt that was given up go, those of others stay', async () => {
  const there = await house();
  const part = await killedWhileFetching(there);
  const other = part.replace('task.1', 'task.10');
  await writeFile(part, 'half');
  await writeFile(other, 'half');
  await removeParts('task.1', [{ local: there.local }, { local: join(there.dir, 'nowhere/file') }]);
  expect(await there.names()).toEqual([basename(other), 'file']);
});

test('a file of the user is not overwritten, and nothing is fetched for it', async () => {
  const { dir, local, delivery, fetch, fetches, names } = await house();
  await mkdir(join(dir, 'out'));
  await writeFile(local, 'mine');
  await expect(deliver(delivery(), fetch)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  expect(await readFile(local, 'utf8')).toBe('mine');
  expect([fetches(), await names()]).toEqual([0, ['file']]);
});

test('a file that appears during the fetch is not overwritten either', async () => {
  const { local, delivery, fetch, names } = await house();
  const late = deliver(delivery(), async (write) => {
    await fetch(write);
    await writeFile(local, 'mine');
  });
  await expect(late).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  expect(await readFile(local, 'utf8')).toBe('mine');
  expect(await names()).toEqual(['file']);
});

test('with overwrite the old file is there until the new one is whole', async () => {
  const { dir, local, delivery, fetch } = await house();
  await mkdir(join(dir, 'out'));
  await writeFile(local, 'old');
  await deliver(delivery({ overwrite: true }), async (write) => {
    await fetch(write);
    expect(await readFile(local, 'utf8')).toBe('old');
  });
  expect(await readFile(local, 'utf8')).toBe('the whole file');
});

test('bytes that are not those of the host leave nothing', async () => {
  const { delivery, fetch, names } = await house();
  await expect(deliver(delivery({ sha256: sum('other') }), fetch)).rejects.toMatchObject({
    code: 'OUTPUT_CHECKSUM_MISMATCH',
  });
  expect(await names()).toEqual([]);
});

test('a fetch that breaks in the middle leaves nothing, and says what broke', async () => {
  const { delivery, names } = await house();
  const broken = deliver(delivery(), async (write) => {
    await write(Buffer.from('the wh'));
    throw new Error('the link broke');
  });
  await expect(broken).rejects.toThrow('the link broke');
  expect(await names()).toEqual([]);
});

test('what stands at the temporary name is replaced: a link there is not written through', async () => {
  const { dir, local, delivery, fetch } = await house();
  const victim = join(dir, 'victim');
  await writeFile(victim, 'mine');
  let part = '';
  await deliver(delivery({ sha256: sum('x') }), async () => {
    part = (await readdir(join(dir, 'out')))[0] ?? '';
  }).catch(() => {});
  expect(part).toMatch(/^\..*task\.1.*\.part$/);
  await symlink(victim, join(dir, 'out', part));
  await deliver(delivery(), fetch);
  expect(await readFile(victim, 'utf8')).toBe('mine');
  expect((await lstat(local)).isFile()).toBe(true);
});

test('names of two files never share a temporary one, however long and alike they are', async () => {
  const { dir, delivery, fetch } = await house();
  const names = ['a', 'b'].map((end) => join(dir, 'out', `${'名'.repeat(84)}${end}`));
  const meet = Promise.withResolvers<void>();
  let inside = 0;
  const both = names.map((local) =>
    deliver(delivery({ local }), async (write) => {
      if ((inside += 1) === 2) meet.resolve();
      await meet.promise;
      await fetch(write);
    }),
  );
  await Promise.all(both);
  for (const name of names) expect(await readFile(name, 'utf8')).toBe('the whole file');
});

test('a directory, a dangling link or a pipe at the final name is told, not read for ever', async () => {
  const { dir, delivery, fetch } = await house();
  await mkdir(join(dir, 'out/file'), { recursive: true });
  spawnSync('mkfifo', [join(dir, 'out/pipe')]);
  await symlink('nowhere', join(dir, 'out/link'));
  for (const name of ['file', 'pipe', 'link']) {
    await expect(deliver(delivery({ local: join(dir, 'out', name) }), fetch)).rejects.toMatchObject(
      { code: 'OUTPUT_EXISTS' },
    );
  }
});

test('a directory that cannot be made is told with its path', async () => {
  const { dir, delivery, fetch } = await house();
  await writeFile(join(dir, 'out'), 'a file');
  await expect(deliver(delivery(), fetch)).rejects.toMatchObject({ code: 'OUTPUT_LOCAL_WRITE' });
  await expect(makeDirectory(join(dir, 'out/x'))).rejects.toMatchObject({
    code: 'OUTPUT_LOCAL_WRITE',
  });
  await chmod(join(dir, 'out'), 0o600);
});

test.each(['ENOSPC', 'EDQUOT'])('a disk that says %s is waited for', (code) => {
  const full = Object.assign(new Error(`${code}: no room, write`), { code });
  expect(cannotWrite('/out/file', full)).toMatchObject({
    code: 'OUTPUT_LOCAL_FULL',
    retry: 'later',
  });
});

test('a temporary file that somebody exchanges for a link gives nobody rights, and gets no name', async () => {
  const { dir, local, delivery, fetch } = await house();
  const victim = join(dir, 'victim');
  await writeFile(victim, 'mine', { mode: 0o600 });
  const exchanged = deliver(delivery(), async (write) => {
    await fetch(write);
    const part = join(dir, 'out', (await readdir(join(dir, 'out')))[0] ?? '');
    await rm(part);
    await symlink(victim, part);
  });
  await expect(exchanged).rejects.toMatchObject({ code: 'OUTPUT_LOCAL_WRITE' });
  expect((await stat(victim)).mode & 0o777).toBe(0o600);
  await expect(lstat(local)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.skipIf(process.getuid?.() !== 0)(
  "below what the user named, somebody else's link is not followed; the user's own is",
  async () => {
    const { dir, delivery, fetch } = await house();
    const [base, elsewhere] = [join(dir, 'shared'), join(dir, 'elsewhere')];
    await mkdir(base);
    await mkdir(elsewhere);
    await symlink(elsewhere, join(base, 'theirs'));
    await lchown(join(base, 'theirs'), 12_345, 12_345);
    await symlink(elsewhere, join(base, 'mine'));
    for (const local of [join(base, 'theirs/file'), join(base, 'theirs/deep/file')]) {
      const through = deliver(delivery({ base, local }), fetch);
      await expect(through).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    }
    await expect(makeDirectory(join(base, 'theirs/deep'), base)).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
    expect(await readdir(elsewhere)).toEqual([]);
    await deliver(delivery({ base, local: join(base, 'mine/deep/file') }), fetch);
    expect(await readdir(join(elsewhere, 'deep'))).toEqual(['file']);
  },
);
