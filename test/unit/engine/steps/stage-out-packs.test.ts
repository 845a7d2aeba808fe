/**
 * Goal: many small outputs come for a few round trips, and a host that sends other bytes, more or fewer than it listed
 * gets nothing of it delivered. Method: a fake host with a tree whose stream the test alters, a real local directory.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { createStageOut } from '../../../../src/engine/steps/stage-out.ts';
import { createStorages } from '../../../../src/engine/storage/storages.ts';
import type { RemoteProcess } from '../../../../src/remote/host.ts';
import { exitOf, TO_RUNNING } from '../../../support/builders.ts';
import { LOG, seatsOf, someSettings, temporaryDirectory } from '../../../support/engine-parts.ts';
import { entry, FakeHost } from '../../../support/fake-host.ts';
import { fakeProcess, filesNamed } from '../../../support/fake-process.ts';
import { until } from '../../../support/until.ts';
import { contextOf, DIR } from './context.ts';

const WORK = `${DIR}/work`;
const SIZES = [0, 1, 4_096, 70_000, 0];

/** `count` files f0, f1, … of all sizes, every third one executable, some of them empty. */
async function house(count = 40) {
  const host = new FakeHost();
  const dir = await temporaryDirectory();
  const names = Array.from({ length: count }, (_, n) => `f${n}`);
  for (const [n, name] of names.entries())
    host.files.set(`${WORK}/${name}`, Buffer.alloc(SIZES[n % SIZES.length] ?? 9, `${n}`));
  const bytesOf = (name: string): Buffer => host.files.get(`${WORK}/${name}`) ?? Buffer.alloc(0);
  host.directories.set(
    WORK,
    names.map((name, n) =>
      entry(name, 'file', { size: bytesOf(name).length, mode: n % 3 === 0 ? 0o755 : 0o600 }),
    ),
  );
  host.on(/^hashing/, (call) => {
    const sums = filesNamed(host, call).map(
      (bytes, index) => `@ sum ${index} ${createHash('sha256').update(bytes).digest('hex')}`,
    );
    return [...sums, '@ done'].join('\n');
  });
  host.onProcess = (call) => fakeProcess(filesNamed(host, call));
  const settings = someSettings([]);
  const step = createStageOut({
    storageFor: createStorages(() => ({})),
    seats: await seatsOf([[{}, host]]),
    daemonId: 'd1',
    nonce: () => 'n1',
    settings: () => settings,
    log: LOG,
    onProgress: () => {},
  });
  const collect = (overwrite = false) => {
    const outputs = [{ pattern: '*', local: join(dir, 'out'), overwrite }];
    const exit = { kind: 'exited', attempt: 1, exit: exitOf(0) } as const;
    const { context, controller } = contextOf({ outputs }, ...TO_RUNNING, exit);
    const news = step(context);
    news.catch(() => {});
    return { news, controller };
  };
  const landed = async (): Promise<string[]> =>
    (await readdir(join(dir, 'out')).catch(() => [] as string[])).toSorted();
  const expectAll = async (): Promise<void> => {
    expect(await landed()).toEqual(names.toSorted());
    for (const name of names)
      expect((await readFile(join(dir, 'out', name))).equals(bytesOf(name)), name).toBe(true);
  };
  const streams = (): number => host.count(/^fetching/);
  const singles = (): number => host.count(/^download/);
  return { host, dir, names, collect, landed, expectAll, bytesOf, streams, singles };
}

test('five hundred small outputs cost one listing, one hashing and a few streams', async () => {
  const { host, dir, collect, expectAll, streams, singles } = await house(500);
  const news = await collect().news;
  expect(news.kind === 'collected' && news.outputs.length).toBe(500);
  await expectAll();
  expect([streams(), singles(), host.count(/^list/)]).toEqual([1, 0, 1]);
  expect(host.count(/./)).toBeLessThan(8);
  expect((await stat(join(dir, 'out/f3'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(dir, 'out/f4'))).mode & 0o777).toBe(0o644);
});

test('few outputs come one by one', async () => {
  const { collect, expectAll, streams, singles } = await house(7);
  await collect().news;
  await expectAll();
  expect([streams(), singles()]).toEqual([0, 7]);
});

test('a stream in pieces of any length is cut where the listing says', async () => {
  for (const length of [1_000, 70_001, 512]) {
    const { host, collect, expectAll, singles } = await house();
    host.onProcess = (call) => {
      const all = Buffer.concat(filesNamed(host, call));
      const pieces = Array.from({ length: Math.ceil(all.length / length) }, (_, n) =>
        all.subarray(n * length, (n + 1) * length),
      );
      return fakeProcess(pieces);
    };
    await collect().news;
    await expectAll();
    expect(singles()).toBe(0);
  }
});

/** Each gives what is sent in the place of the files, and the exit code. */
const LIES: [what: string, lie: (files: Buffer[]) => RemoteProcess][] = [
  ['one byte is another', (files) => fakeProcess([Buffer.concat(files).fill('!', 5_000, 5_001)])],
  [
    'two files change places',
    (files) => fakeProcess([files[2], files[1], ...files.slice(3)] as Buffer[]),
  ],
  [
    'a file is longer than listed',
    (files) => fakeProcess([...files.slice(0, 3), Buffer.from('more'), ...files.slice(3)]),
  ],
  ['it ends early', (files) => fakeProcess(files.slice(0, 3))],
  ['it says that a file is none', (files) => fakeProcess(files.slice(0, 3), 9)],
  ['nothing comes at all', () => fakeProcess([], 127)],
  ['an archive comes', () => fakeProcess([Buffer.alloc(1_000_000, '../../../tmp/evil\0')])],
];

test.each(LIES)(
  '%s: nothing of it is delivered, and the outputs are fetched one by one',
  async (_, lie) => {
    const { host, dir, collect, expectAll, singles } = await house();
    host.onProcess = (call) => lie(filesNamed(host, call));
    await collect().news;
    await expectAll();
    expect(singles()).toBeGreaterThan(0);
    expect(await readdir(dir)).toEqual(['out']);
  },
);

test.each(LIES)(
  '%s, and no file is what it was: nothing gets a name that has other bytes',
  async (_, lie) => {
    const { host, dir, names, collect, landed, bytesOf } = await house();
    host.onProcess = (call) => lie(filesNamed(host, call));
    host.download = async (_source, write) => write(Buffer.from('other'));
    await expect(collect().news).rejects.toMatchObject({
      code: 'OUTPUT_CHECKSUM_MISMATCH',
      retry: 'later',
    });
    const there = await landed();
    expect(there.every((name) => names.includes(name))).toBe(true);
    for (const name of there)
      expect((await readFile(join(dir, 'out', name))).equals(bytesOf(name)), name).toBe(true);
    expect(await readdir(dir)).toEqual(['out']);
  },
);

test("more after the last file is nobody's: it is let go, and what was listed is here", async () => {
  const { host, dir, collect, expectAll } = await house();
  host.onProcess = (call) => fakeProcess([...filesNamed(host, call), Buffer.from('more')]);
  await collect().news;
  await expectAll();
  expect(await readdir(dir)).toEqual(['out']);
});

test('a stream that never ends is given up as soon as it is more than was listed', async () => {
  const { host, collect, expectAll } = await house();
  let sent = 0;
  host.onProcess = () =>
    fakeProcess(
      (async function* () {
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536);
        }
      })(),
    );
  await collect().news;
  await expectAll();
  expect(sent).toBeLessThan(4 << 20);
});

test('a link that breaks in the middle: what came whole stays, and only the rest is asked for again', async () => {
  const { host, names, collect, landed, expectAll, singles } = await house();
  const asked: number[] = [];
  host.onProcess = (call) => {
    const files = filesNamed(host, call);
    asked.push(files.length);
    return asked.length === 1
      ? fakeProcess([...files.slice(0, 22), Buffer.from('half')], 'the link is lost')
      : fakeProcess(files);
  };
  await expect(collect().news).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  expect(await landed()).toEqual(names.slice(0, 22).toSorted());
  await collect().news;
  await expectAll();
  expect([asked, singles()]).toEqual([[40, 18], 0]);
});

test('what is there already is not asked for, and not replaced when it is another', async () => {
  const { dir, collect, bytesOf, landed, streams } = await house();
  await collect().news;
  await collect().news;
  expect(streams()).toBe(1);
  const path = join(dir, 'out/f3');
  await writeFile(path, "somebody's own");
  await expect(collect().news).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  expect(await readFile(path, 'utf8')).toBe("somebody's own");
  expect((await landed()).length).toBe(40);
  await collect(true).news;
  expect((await readFile(path)).equals(bytesOf('f3'))).toBe(true);
});

test('where a host gives no channel for it, the outputs come one by one', async () => {
  const { host, collect, expectAll, singles } = await house();
  host.onProcess = () => {
    throw new AppError('SSH_CHANNEL_REFUSED', 'no more sessions');
  };
  await collect().news;
  await expectAll();
  // the first one is empty: no byte has to come for it
  expect(singles()).toBe(39);
});

test('a cancel in the middle ends the stream and leaves nothing half', async () => {
  const { host, collect, landed } = await house();
  let closed = false;
  host.onProcess = (call) => {
    const endless = async function* (): AsyncGenerator<Buffer> {
      yield* filesNamed(host, call).slice(0, 20);
      await new Promise(() => {});
    };
    const process = fakeProcess(endless());
    return {
      ...process,
      close: () => {
        closed = true;
        process.close();
      },
    };
  };
  const { news, controller } = collect();
  await until(async () => (await landed()).some((name) => name.startsWith('.towline-')));
  controller.abort();
  await expect(news).rejects.toMatchObject({ name: 'AbortError' });
  expect([closed, await landed()]).toEqual([true, []]);
});
