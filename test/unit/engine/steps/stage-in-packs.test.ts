/**
 * Goal: many small inputs cost a few round trips together, and where a pack does not work they come one by one.
 * Method: a fake host that knows tar as far as our own archives go, and counts what it is asked.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import type { Input } from '../../../../src/domain/task.ts';
import { createStageIn } from '../../../../src/engine/steps/stage-in.ts';
import { createStorages } from '../../../../src/engine/storage/storages.ts';
import { openMemoryStore } from '../../../contract/store-memory.ts';
import { DAEMON, seatsOf } from '../../../support/engine-parts.ts';
import { FakeHost, ROOT } from '../../../support/fake-host.ts';
import { until } from '../../../support/until.ts';
import { contextOf } from './context.ts';

const PLACED = { kind: 'placed', attempt: 1, host: 'vm' } as const;
const OBJECT = /[0-9a-f]{64}-0[0-7]{3}/;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function inputs(count: number, bytes = 10): Input[] {
  return Array.from({ length: count }, (_, n) => ({
    source: {
      kind: 'content' as const,
      base64: Buffer.from(`${n}`.padEnd(bytes, '.')).toString('base64'),
    },
    target: `in/${n}`,
  }));
}

/** Name and bytes of each member. */
function unpacked(archive: Buffer): [name: string, bytes: Buffer][] {
  const members: [string, Buffer][] = [];
  for (let at = 0; archive[at] !== 0; ) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
    members.push([
      archive.toString('latin1', at, archive.indexOf(0, at)),
      archive.subarray(at + 512, at + 512 + size),
    ]);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}

async function house() {
  const host = new FakeHost();
  const store = new Map<string, Buffer>();
  const put = (name: string, bytes: Buffer): boolean => {
    const good = sha256(bytes) === name.slice(0, 64);
    if (good) store.set(name, bytes);
    return good;
  };
  const partOf = (script: string, name: RegExp): [path: string, name: string] => {
    const [found = ''] = name.exec(script) ?? [];
    return [`${ROOT}/store/.part/${found}.${DAEMON}`, found];
  };
  host.on(/^looking for/, ({ script }) => {
    const noted = /t=([0-9a-f]{64}-0444)/.exec(script)?.[1] ?? '';
    trees.add(noted);
    const all = new Set(script.match(new RegExp(OBJECT, 'g')) ?? []);
    const names = [...all].filter((name) => name !== noted);
    const packs = [...host.files].filter(([path]) => path.includes('/pack-'));
    return [
      ...names.filter((name) => store.has(name)).map((name) => `@ have ${name}`),
      ...packs.map(([path, bytes]) => `@ pack ${bytes.length} ${path.split('/').at(-1)}`),
      '@ done',
    ].join('\n');
  });
  const trees = new Set<string>();
  host.on(/^looking for a tree/, ({ script }) => {
    const [tree = ''] = OBJECT.exec(script) ?? [];
    return trees.has(tree) ? '@ whole' : '@ unknown';
  });
  host.on(/^unpacking/, ({ script }) => {
    const [path] = partOf(script, /pack-[0-9a-f]{64}/);
    const members = unpacked(host.files.get(path) ?? Buffer.alloc(1));
    host.files.delete(path);
    return members.every(([name, bytes]) => put(name, bytes)) ? '@ published' : '@ mismatch';
  });
  host.on(/^checking/, ({ script }) => {
    const [path, name] = partOf(script, OBJECT);
    return put(name, host.files.get(path) ?? Buffer.alloc(0)) ? '@ published' : '@ mismatch';
  });
  host.on(/^removing a pack/, ({ script }) => {
    host.files.delete(partOf(script, /pack-[0-9a-f]{64}/)[0]);
    return '';
  });
  let nonces = 0;
  const progress: number[] = [];
  const step = createStageIn({
    storageFor: createStorages(() => ({})),
    store: openMemoryStore(),
    seats: await seatsOf([[{}, host]]),
    daemonId: DAEMON,
    ledger: { find: () => Promise.reject(new Error('no other task')) },
    nonce: () => `n${(nonces += 1)}`,
    onProgress: (_, { bytesDone }) => progress.push(bytesDone),
  });
  const stage = (wanted: Input[]) => {
    const { context, controller } = contextOf({ inputs: wanted }, PLACED);
    const news = step(context);
    news.catch(() => {});
    return { news, controller };
  };
  const uploads = (): number => host.count(/^upload/);
  return { host, store, stage, progress, uploads };
}

test('five hundred small inputs cost four round trips together, and the second time one question for all of them', async () => {
  const { host, store, stage, progress, uploads } = await house();
  await stage(inputs(500)).news;
  expect(store.size).toBe(500);
  expect(progress.at(-1)).toBe(5_000);
  expect([uploads(), host.count(/^unpacking/), host.count(/^looking for/)]).toEqual([1, 1, 2]);
  expect(host.count(/./)).toBeLessThan(7);
  await stage(inputs(500)).news;
  expect([uploads(), host.count(/^unpacking/), host.count(/^looking for/)]).toEqual([1, 1, 3]);
});

test('few inputs and large ones are sent one by one, each in its part', async () => {
  const { host, store, stage, uploads } = await house();
  await stage(inputs(7)).news;
  expect([uploads(), host.count(/^checking/)]).toEqual([7, 7]);
  await stage(inputs(9, 257 * 1024)).news;
  expect([uploads(), host.count(/^checking/)]).toEqual([16, 16]);
  expect(store.size).toBe(16);
});

test('more than a pack holds is sent as several, each with all of its objects', async () => {
  const { host, store, stage, uploads } = await house();
  await stage(inputs(100, 200 * 1024)).news;
  expect(store.size).toBe(100);
  expect([uploads(), host.count(/^unpacking/)]).toEqual([3, 3]);
});

test('a pack that was cut is gone on with', async () => {
  const { host, store, stage } = await house();
  const upload = host.upload.bind(host);
  let sent = 0;
  host.upload = async (source, target, options) => {
    const lost = async function* () {
      let left = 20_000;
      for await (const chunk of source) {
        if (left < 0) throw new AppError('SSH_CONNECTION_LOST', 'cut');
        left -= chunk.length;
        yield chunk;
      }
    };
    await upload(sent === 0 ? lost() : source, target, options).finally(() => (sent += 1));
  };
  await expect(stage(inputs(50)).news).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  const left = [...host.files.values()][0]?.length ?? 0;
  expect(left).toBeGreaterThan(10_000);
  const offsets: (number | undefined)[] = [];
  const second = host.upload;
  host.upload = (source, target, options) => {
    offsets.push(options?.offset);
    return second(source, target, options);
  };
  await stage(inputs(50)).news;
  expect([offsets, store.size]).toEqual([[left], 50]);
});

test.each([
  ['whose bytes were altered', '@ mismatch'],
  ['that is gone', '@ gone'],
  ['that has no room', 'tar: no space left on device\n@ failed unpacking'],
])('a pack %s: the inputs are sent one by one', async (_, reply) => {
  const { host, store, stage, uploads } = await house();
  host.on(/^unpacking/, () => reply);
  await stage(inputs(10)).news;
  expect([store.size, uploads()]).toEqual([10, 11]);
});

test('a pack that finds the disk full while it is sent is removed, and the inputs are sent one by one', async () => {
  const { host, store, stage } = await house();
  const upload = host.upload.bind(host);
  host.upload = async (source, target, options) => {
    await upload(source, target, options);
    if (target.includes('/pack-')) throw new AppError('HOST_NO_SPACE', 'full');
  };
  await stage(inputs(10)).news;
  expect(store.size).toBe(10);
  expect(host.count(/^removing a pack/)).toBe(1);
  expect([...host.files.keys()].filter((path) => path.includes('/pack-'))).toEqual([]);
});

test('a host without tar gets no pack', async () => {
  const { host, store, stage } = await house();
  host.on(/^looking for/, () => '@ tarless\n@ done');
  await stage(inputs(10)).news;
  expect([store.size, host.count(/^unpacking/), host.count(/^checking/)]).toEqual([10, 0, 10]);
});

/** Holds uploads until told. */
function held(host: FakeHost): () => void {
  const gate = Promise.withResolvers<void>();
  const upload = host.upload.bind(host);
  host.upload = async (source, target, options) => {
    host.calls.push('held');
    await gate.promise;
    options?.signal?.throwIfAborted();
    await upload(source, target, options);
  };
  return gate.resolve;
}

test('what several tasks want at once is sent once, and goes on for the one that stays', async () => {
  const { host, store, stage, uploads } = await house();
  const open = held(host);
  const one = stage(inputs(20));
  const two = stage(inputs(20));
  await until(() => host.count(/^held/) === 1 && host.count(/^looking for/) === 2);
  one.controller.abort();
  await expect(one.news).rejects.toThrow('aborted');
  open();
  expect(await two.news).toMatchObject({ kind: 'staged' });
  expect([store.size, uploads()]).toEqual([20, 1]);
});

test.each([
  ['nobody wants any more is removed', undefined, 'AbortError', 1],
  ['a daemon that stops was about stays', new AppError('DAEMON_STOPPING', 'x'), 'AppError', 0],
])('a pack that %s', async (_, reason, name, removals) => {
  const { host, stage } = await house();
  const open = held(host);
  const { news, controller } = stage(inputs(20));
  await until(() => host.count(/^held/) === 1);
  controller.abort(reason);
  await expect(news).rejects.toMatchObject({ name });
  open();
  const next = stage(inputs(20));
  await next.news;
  expect(host.count(/^removing a pack/)).toBe(removals);
});
