/** Goal: each content is sent once and is what it is called, and one task's end is not another's. Method: a fake host whose store the test keeps. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import type { AttemptToken, Input, Task, TaskSpec } from '../../../../src/domain/task.ts';
import { createStageIn } from '../../../../src/engine/steps/stage-in.ts';
import { createStorages } from '../../../../src/engine/storage/storages.ts';
import { openMemoryStore } from '../../../contract/store-memory.ts';
import { aTask } from '../../../support/builders.ts';
import { DAEMON, seatsOf, temporaryDirectory } from '../../../support/engine-parts.ts';
import { FakeHost, ROOT } from '../../../support/fake-host.ts';
import { until } from '../../../support/until.ts';
import { contextOf } from './context.ts';

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
const inline = (text: string, target: string): Input => ({
  source: { kind: 'content', base64: Buffer.from(text).toString('base64') },
  target,
});
const PLACED = { kind: 'placed', attempt: 1, host: 'vm' } as const;

/** `other`: a task that was run on the host `source`. */
async function house(from?: { source: FakeHost; other: Task }) {
  const host = new FakeHost();
  const store = new Set<string>();
  const partOf = (name: string): string => `${ROOT}/store/.part/${name}.${DAEMON}`;
  host.on(/^looking for/, ({ script }) => {
    const names = [...new Set(script.match(/[0-9a-f]{64}-0\d{3}/g) ?? [])];
    const lines = names.flatMap((name) => {
      if (store.has(name)) return [`@ have ${name}`];
      const part = host.files.get(partOf(name));
      return part === undefined ? [] : [`@ part ${part.length} ${name}`];
    });
    return [...lines, '@ done'].join('\n');
  });
  host.on(/^checking/, ({ script }) => {
    const name = /[0-9a-f]{64}-0\d{3}/.exec(script)?.[0] ?? '';
    const bytes = host.files.get(partOf(name)) ?? Buffer.alloc(0);
    host.files.delete(partOf(name));
    if (createHash('sha256').update(bytes).digest('hex') !== name.slice(0, 64)) return '@ mismatch';
    store.add(name);
    return '@ published';
  });
  const progress: number[] = [];
  const step = createStageIn({
    storageFor: createStorages(() => ({})),
    store: openMemoryStore(),
    seats: await seatsOf([
      [{}, host],
      ...(from === undefined ? [] : [[{}, from.source] as [object, FakeHost]]),
    ]),
    daemonId: DAEMON,
    nonce: () => 'n1',
    ledger: {
      find: async () => {
        if (from === undefined) throw new Error('no other task');
        return from.other;
      },
    },
    onProgress: (_, { bytesDone }) => progress.push(bytesDone),
  });
  const stage = (more: Partial<TaskSpec>) => {
    const { context, controller } = contextOf(more, PLACED);
    const news = step(context);
    news.catch(() => {});
    return { news, controller };
  };
  return { host, store, stage, progress, partOf };
}

test('inputs and stdin become objects of the store, told with their places', async () => {
  const { stage, store, progress } = await house();
  const stdin = { kind: 'content', base64: Buffer.from('in').toString('base64') } as const;
  const { news } = stage({ inputs: [inline('one', 'a/b')], stdin });
  expect(await news).toEqual({
    kind: 'staged',
    attempt: 1,
    inputs: {
      files: [{ kind: 'object', sha256: sum('one'), mode: 0o444, target: 'a/b', bytes: 3 }],
      stdin: { sha256: sum('in'), mode: 0o444 },
    },
  });
  expect(store.size).toBe(2);
  expect(progress.at(-1)).toBe(5);
});

test('what is there is not sent again, and one content under two names is sent once', async () => {
  const { host, stage } = await house();
  await stage({ inputs: [inline('one', 'a'), inline('one', 'b')] }).news;
  expect(host.count(/^upload/)).toBe(1);
  await stage({ inputs: [inline('one', 'c')] }).news;
  expect(host.count(/^upload/)).toBe(1);
});

test('an interrupted upload is resumed where it stopped; a part with other bytes is sent anew', async () => {
  for (const [left, sends] of [
    ['on', 1],
    ['xx', 2],
  ] as const) {
    const { host, stage, partOf } = await house();
    host.files.set(partOf(`${sum('one')}-0444`), Buffer.from(left));
    await stage({ inputs: [inline('one', 'a')] }).news;
    expect(host.count(/^upload/)).toBe(sends);
  }
});

test('a file that changes while it is sent is never published under the old hash', async () => {
  const { host, stage, store } = await house();
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, 'before');
  const upload = host.upload.bind(host);
  host.upload = async (...args) => {
    await writeFile(path, 'after!');
    return upload(...args);
  };
  const { news } = stage({ inputs: [{ source: { kind: 'file', path }, target: 'a' }] });
  await expect(news).rejects.toMatchObject({ code: 'STAGE_INPUT_CHANGED', retry: 'later' });
  expect([...store]).toEqual([]);
});

test('STAGE_CHECKSUM_MISMATCH: a host that stores other bytes than were sent never gets them published', async () => {
  const { host, stage, store, partOf } = await house();
  const upload = host.upload.bind(host);
  host.upload = async (...args) => {
    await upload(...args);
    host.files.set(partOf(`${sum('one')}-0444`), Buffer.from('eno'));
  };
  const { news } = stage({ inputs: [inline('one', 'a')] });
  await expect(news).rejects.toMatchObject({ code: 'STAGE_CHECKSUM_MISMATCH', retry: 'later' });
  expect([...store]).toEqual([]);
});

test('a full host is told by its name', async () => {
  const { host, stage } = await house();
  host.on(/^checking/, () => 'sync: no space left on device\n@ failed sync');
  await expect(stage({ inputs: [inline('x', 'a')] }).news).rejects.toMatchObject({
    code: 'HOST_NO_SPACE',
  });
});

test('an upload that two tasks want goes on for the one that stays', async () => {
  const { host, stage } = await house();
  const gate = Promise.withResolvers<void>();
  const upload = host.upload.bind(host);
  host.upload = async (source, target, options) => {
    await gate.promise;
    return upload(source, target, options);
  };
  const one = stage({ inputs: [inline('shared', 'a')] });
  const two = stage({ inputs: [inline('shared', 'a')] });
  await until(() => host.count(/^looking for a part/) === 1);
  one.controller.abort();
  await expect(one.news).rejects.toThrow('aborted');
  gate.resolve();
  expect(await two.news).toMatchObject({ kind: 'staged' });
  expect(host.count(/^upload/)).toBe(1);
});

test.each([
  ['nobody wants any more leaves no part in the way', undefined, 'AbortError', 1],
  [
    'a daemon that stops was about can be gone on with',
    new AppError('DAEMON_STOPPING', 'x'),
    'AppError',
    0,
  ],
])('an upload that %s', async (_, reason, name, removals) => {
  const { host, stage } = await house();
  const gate = Promise.withResolvers<void>();
  host.upload = async (_source, _target, options) => {
    await gate.promise;
    options?.signal?.throwIfAborted();
  };
  const { news, controller } = stage({ inputs: [inline('large', 'a')] });
  await until(() => host.count(/^looking for a part/) === 1);
  controller.abort(reason);
  await expect(news).rejects.toMatchObject({ name });
  gate.resolve();
  const next = stage({ inputs: [inline('large', 'a')] });
  await until(() => host.count(/^looking for a part/) === 2);
  expect(host.count(/^removing a part/)).toBe(removals);
  next.controller.abort();
});

test('when one of many fails, no other is begun any more', async () => {
  const { host, stage } = await house();
  host.on(/^looking for/, () => '@ tarless\n@ done');
  const upload = host.upload.bind(host);
  let uploads = 0;
  host.upload = async (source, target, options) => {
    uploads += 1;
    if (uploads === 3) throw new AppError('SFTP_DENIED', 'no');
    await new Promise((resolve) => setImmediate(resolve));
    await upload(source, target, options);
  };
  const inputs = Array.from({ length: 20 }, (_, i) => inline(`content ${i}`, `t${i}`));
  await expect(stage({ inputs }).news).rejects.toMatchObject({ code: 'SFTP_DENIED' });
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(uploads).toBeLessThan(6);
});

test('what another host has goes on from where it was cut, and is told when that one has it no more', async () => {
  const source = new FakeHost('maker');
  const other = aTask({}, 'maker');
  const entry = { kind: 'file', path: 'x', sha256: sum('one'), mode: 0o444, bytes: 3 } as const;
  const kept = { host: 'maker', root: '/r', token: 'maker.1' as AttemptToken, entries: [entry] };
  const state = {
    kind: 'succeeded',
    attempt: 1,
    outputs: [],
    finishedAt: 1,
    cleanup: 'done',
    kept,
  };
  const { host, stage, partOf } = await house({ source, other: { ...other, state } as Task });
  const held = `/r/kept/${DAEMON}/maker.1/${sum('one')}-0444`;
  const inputs: Input[] = [{ source: { kind: 'output', task: 'maker', path: 'x' }, target: 'in' }];
  source.files.set(held, Buffer.from('one'));
  host.files.set(partOf(`${sum('one')}-0444`), Buffer.from('on'));
  expect(await stage({ inputs }).news).toMatchObject({
    inputs: { files: [{ target: 'in', sha256: sum('one'), bytes: 3 }] },
  });
  expect(source.calls).toContain(`download ${held} from 2`);
  const gone = await house({ source, other: { ...other, state } as Task });
  source.fault = new AppError('SFTP_NOT_FOUND', 'no such file');
  await expect(gone.stage({ inputs }).news).rejects.toMatchObject({
    code: 'STAGE_OUTPUT_MISSING',
    context: { producer: 'maker' },
  });
});
