/** Goal: outputs come home whole or it is said why not, and nothing goes on after that. Method: a fake host with a tree, a real local directory. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { createStageOut } from '../../../../src/engine/steps/stage-out.ts';
import type { Storage } from '../../../../src/engine/storage/storage.ts';
import { exitOf, TO_RUNNING } from '../../../support/builders.ts';
import { LOG, seatsOf, someSettings, temporaryDirectory } from '../../../support/engine-parts.ts';
import { entry, FakeHost, probeReply } from '../../../support/fake-host.ts';
import { fakeProcess, filesNamed } from '../../../support/fake-process.ts';
import { contextOf, DIR } from './context.ts';

const WORK = `${DIR}/work`;

async function house(files: Record<string, string>, code = 0) {
  const host = new FakeHost();
  const dir = await temporaryDirectory();
  const paths = Object.keys(files);
  host.directories.set(
    WORK,
    paths.map((name) => entry(name, 'file', { size: files[name]?.length ?? 0 })),
  );
  for (const name of paths) host.files.set(`${WORK}/${name}`, Buffer.from(files[name] ?? ''));
  host.on(/^hashing/, ({ script }) => {
    const asked = [...script.matchAll(/'([^']*\/work\/[^']+)'/g)].map(([, path]) => String(path));
    const sums = asked.map((path, index) => {
      const text = files[path.slice(WORK.length + 1)] ?? '';
      return `@ sum ${index} ${createHash('sha256').update(text).digest('hex')}`;
    });
    return [...sums, '@ done'].join('\n');
  });
  host.onProcess = (call) => fakeProcess(filesNamed(host, call));
  const settings = someSettings([]);
  const pauses: number[] = [];
  const whilePausing: { act?: (count: number) => void } = {};
  const puts: string[] = [];
  const storage: Storage = {
    schemes: ['s3'],
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    put: async (url, path) => void puts.push(`${url}: ${await readFile(path, 'utf8')}`),
  };
  const step = createStageOut({
    storageFor: () => storage,
    uploadDir: join(dir, 'uploads'),
    seats: await seatsOf([[{}, host]]),
    daemonId: 'd1',
    nonce: () => 'n1',
    settings: () => settings,
    log: LOG,
    onProgress: () => {},
    pause: async (ms) => {
      pauses.push(ms);
      whilePausing.act?.(pauses.length);
    },
  });
  const collect = (...outputs: [pattern: string, local: string][]) => {
    const spec = outputs.map(([pattern, to]) => ({
      ...{ pattern, overwrite: false },
      ...(to.startsWith('s3:') ? { url: to } : { local: join(dir, to) }),
    }));
    const exit = { kind: 'exited', attempt: 1, exit: exitOf(code) } as const;
    const { context, controller } = contextOf({ outputs: spec }, ...TO_RUNNING, exit);
    const news = step(context);
    news.catch(() => {});
    return { news, controller };
  };
  return { host, dir, collect, settings, pauses, whilePausing, storage, puts };
}

test('files are fetched, compared and told with what they are', async () => {
  const { dir, collect } = await house({ 'a.txt': 'aaa', b: 'bb' });
  const news = await collect(['a.txt', 'out/a'], ['*', 'all/']).news;
  expect(news).toMatchObject({ kind: 'collected', attempt: 1 });
  expect(await readFile(join(dir, 'out/a'), 'utf8')).toBe('aaa');
  expect(await readdir(join(dir, 'all'))).toEqual(['a.txt', 'b']);
});

test('a file that two outputs name the same way is fetched once', async () => {
  const { host, collect } = await house({ 'a.txt': 'aaa' });
  const news = await collect(['a.txt', 'out/'], ['*.txt', 'out']).news;
  expect(news).toMatchObject({ outputs: [{ bytes: 3 }] });
  expect(host.count(/^download/)).toBe(1);
});

test('two files that would have one name here are told, and neither is there', async () => {
  const { dir, collect } = await house({ a: '1', b: '2' });
  await expect(collect(['a', 'x'], ['b', 'x']).news).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
    message: expect.stringContaining('both a and b'),
  });
  expect(existsSync(join(dir, 'x'))).toBe(false);
});

test('a missing output is the failure of a command that succeeded, and none of one that failed', async () => {
  const fine = await house({ a: '1' });
  await expect(fine.collect(['a', 'a'], ['no', 'no']).news).rejects.toMatchObject({
    code: 'OUTPUT_MISSING',
    hint: expect.stringContaining(WORK),
  });
  const failed = await house({ a: '1' }, 3);
  expect(await failed.collect(['a', 'a'], ['no', 'no']).news).toMatchObject({
    outputs: [{ pattern: 'a' }],
  });
});

test('row 22: an output that shows late is awaited, with a fresh listing each time', async () => {
  const { host, dir, collect, pauses, whilePausing } = await house({ a: '1', late: '22' });
  host.on(/^looking at host/, () => probeReply({ rootFsType: 'nfs' }));
  const whole = host.directories.get(WORK) ?? [];
  host.directories.set(WORK, whole.slice(0, 1));
  whilePausing.act = (count) => {
    if (count === 5) host.directories.set(WORK, whole);
  };
  await collect(['a', 'a'], ['late', 'late']).news;
  expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000]);
  expect(await readFile(join(dir, 'late'), 'utf8')).toBe('22');
  expect(host.count(/^list/)).toBe(6);
});

test('row 22: a missing output is looked for a minute, then it is missing; one that is there costs no wait', async () => {
  const { host, collect, pauses } = await house({ a: '1' });
  host.on(/^looking at host/, () => probeReply({ rootFsType: 'nfs' }));
  await collect(['a', 'a']).news;
  expect(pauses).toEqual([]);
  await expect(collect(['no', 'no']).news).rejects.toMatchObject({ code: 'OUTPUT_MISSING' });
  expect(pauses.reduce((sum, ms) => sum + ms)).toBe(60_000);
});

test('outputs of a host that was booted since are fetched only if they were on its disk', async () => {
  const { host, dir, collect } = await house({ a: '1' });
  host.on(/^looking at host/, () => probeReply({ bootId: 'later' }));
  host.on(/^asking whether/, () => '@ unsettled');
  await expect(collect(['a', 'a']).news).rejects.toMatchObject({ code: 'OUTPUT_NOT_DURABLE' });
  expect(existsSync(join(dir, 'a'))).toBe(false);
  host.on(/^asking whether/, () => '@ settled');
  await collect(['a', 'a']).news;
  expect(await readFile(join(dir, 'a'), 'utf8')).toBe('1');
});

test('a work directory that cannot be seen says nothing about outputs: it is waited for', async () => {
  const { host, collect } = await house({ a: '1' });
  host.directories.clear();
  await expect(collect(['a', 'a']).news).rejects.toMatchObject({
    code: 'HOST_ROOT_UNAVAILABLE',
    retry: 'later',
  });
});

test('bytes that changed on the way are fetched again, and what is there is right', async () => {
  const { host, dir, collect } = await house({ a: 'right' });
  const download = host.download.bind(host);
  let tries = 0;
  host.download = async (source, write, options) => {
    tries += 1;
    if (tries === 1) await write(Buffer.from('wrong'));
    else await download(source, write, options);
  };
  await collect(['a', 'a']).news;
  expect([tries, await readFile(join(dir, 'a'), 'utf8')]).toEqual([2, 'right']);
});

test('after a failure no fetch goes on, and nothing more appears', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `f${i}`);
  const { host, dir, collect } = await house(Object.fromEntries(names.map((name) => [name, name])));
  host.onProcess = () => {
    throw new AppError('SSH_CHANNEL_REFUSED', 'one by one');
  };
  const download = host.download.bind(host);
  host.download = async (source, write, options) => {
    if (source.path.endsWith('/f3')) throw new AppError('SFTP_DENIED', 'no');
    await new Promise((resolve) => setImmediate(resolve));
    return download(source, write, options);
  };
  await expect(collect(['*', 'out']).news).rejects.toMatchObject({ code: 'SFTP_DENIED' });
  const there = await readdir(join(dir, 'out'));
  expect(there.filter((name) => name.startsWith('.'))).toEqual([]);
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(await readdir(join(dir, 'out'))).toEqual(there);
  expect(there.length).toBeLessThan(10);
});

test('a step that is run again delivers the rest and fetches nothing twice', async () => {
  const { host, collect } = await house({ a: '1', b: '2' });
  const download = host.download.bind(host);
  host.download = async (source, write, options) => {
    if (source.path.endsWith('/b') && host.fault === undefined && host.count(/^hashing/) === 1) {
      throw new AppError('SSH_CONNECTION_LOST', 'the link broke');
    }
    return download(source, write, options);
  };
  await expect(collect(['a', 'a'], ['b', 'b']).news).rejects.toMatchObject({
    code: 'SSH_CONNECTION_LOST',
  });
  const before = host.count(/^download.*\/a$/);
  expect(await collect(['a', 'a'], ['b', 'b']).news).toMatchObject({ outputs: [{}, {}] });
  expect(before + host.count(/^download.*\/b$/)).toBeLessThanOrEqual(2);
});

test('more files than one answer of the host can tell are hashed in parts', async () => {
  const many = Object.fromEntries(Array.from({ length: 4_100 }, (_, i) => [`f${i}`, `${i}`]));
  const { host, collect } = await house(many);
  const news = await collect(['*', 'all/']).news;
  expect(news.kind === 'collected' && news.outputs.length).toBe(4_100);
  expect(host.count(/^hashing/)).toBe(5);
});

test('outputs that are more than a task may bring are refused before anything is fetched', async () => {
  const { host, dir, collect, settings } = await house({ a: 'aaa', b: 'bbb' });
  settings.defaults.collectLimitBytes = 5;
  await expect(collect(['a', 'x'], ['b', 'y']).news).rejects.toMatchObject({
    code: 'OUTPUT_LIMIT',
    message: expect.stringContaining('5 bytes'),
  });
  expect(host.count(/^download/)).toBe(0);
  expect(existsSync(join(dir, 'x'))).toBe(false);
});

test('outputs of a storage are put there when all are here, told by their addresses, and nothing of them stays', async () => {
  const { dir, collect, puts } = await house({ 'a.txt': 'aaa', b: 'bb' });
  const { outputs } = (await collect(['*', 's3://x/all'], ['b', 's3://x/one'], ['b', 'b'])
    .news) as {
    outputs: { local: string; remote: string; bytes: number }[];
  };
  expect(puts.sort()).toEqual(['s3://x/all/a.txt: aaa', 's3://x/all/b: bb', 's3://x/one: bb']);
  const told = outputs.map(({ local, remote, bytes }) => [local, remote.split('/').at(-1), bytes]);
  expect(told).toEqual([
    ['s3://x/all/a.txt', 'a.txt', 3],
    ['s3://x/all/b', 'b', 2],
    ['s3://x/one', 'b', 2],
    [join(dir, 'b'), 'b', 2],
  ]);
  expect(await readdir(join(dir, 'uploads'))).toEqual([]);
});

test('what cannot be put fails the step and leaves nothing here; what a killed daemon left is put without being fetched', async () => {
  const { host, dir, collect, storage, puts } = await house({ a: '1' });
  const landing = join(dir, 'uploads', `${basename(DIR)}.out`);
  const { put } = storage;
  storage.put = () => Promise.reject(new AppError('STORAGE_PUT_FAILED', 'no'));
  await expect(collect(['a', 's3://x/a']).news).rejects.toMatchObject({
    code: 'STORAGE_PUT_FAILED',
  });
  expect([existsSync(landing), host.count(/^download/)]).toEqual([false, 1]);
  Object.assign(storage, { put });
  await mkdir(landing);
  await writeFile(join(landing, '0'), '1');
  await collect(['a', 's3://x/a']).news;
  expect([puts, existsSync(landing), host.count(/^download/)]).toEqual([['s3://x/a: 1'], false, 1]);
});

test('two files for one address are told, and nothing is put; a storage that takes nothing is told, too', async () => {
  const { collect, puts, storage } = await house({ a: '1', b: '2' });
  const twins = collect(['a', 's3://x/y'], ['b', 's3://x/y']).news;
  await expect(twins).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  expect(puts).toEqual([]);
  delete storage.put;
  await expect(collect(['a', 's3://x/y']).news).rejects.toMatchObject({
    code: 'STORAGE_UNSUPPORTED',
  });
});
