/**
 * Goal: a tag that moved is noticed when a task starts, for the price of one question, and what runs keeps
 * the image it has. Method: a second image is pushed under the same tag of the bed's registry; its access
 * log counts what was asked.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type RegistryProxy, startRegistryProxy } from '../support/faults/registry-proxy.ts';
import {
  type FreshImage,
  fetchesByBlob,
  freshImage,
  manifestDigest,
  moveTag,
  requestsFor,
} from '../support/registry.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;
let proxy: RegistryProxy;

beforeAll(async () => {
  proxy = await startRegistryProxy();
  const keys = {
    image_cache_dir: '',
    insecure_registries: `registry:5000, ${proxy.name}`,
    ...{ pull_attempts: '1', pull_memory: '0s' },
  };
  daemon = makeDaemon({
    hosts: {
      vm: { on: 'vm', keys: { ...keys, pull_ask_every: '0s' } },
      hourly: { on: 'vm', keys: { ...keys, pull: 'newer', pull_ask_every: '1h' } },
    },
  });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

/** What tells the pushed images apart. */
const WHICH = 'md5sum </usr/share/fresh';

interface Ran {
  which: string;
  digest: string | undefined;
  kinds: string[];
}

async function ran(id: string): Promise<Ran> {
  const waited = await daemon.cli('wait', id);
  expect(waited.code, daemon.log()).toBe(0);
  const [logs, task, events] = [
    await daemon.cli('logs', id),
    (await daemon.show(id)) as { imageDigest?: string },
    await daemon.cli('events', '--json', '--task', id),
  ];
  const kinds = events.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind?: string }).kind ?? '')
    .filter((kind) => /^(pull|image)-/.test(kind));
  return { which: logs.stdout, digest: task.imageDigest, kinds };
}

const start = ({ reference }: FreshImage, ...options: string[]): Promise<string> =>
  daemon.submit(...options, reference, '--', 'sh', '-c', WHICH);

function manifestQuestions({ name }: FreshImage): number {
  return requestsFor(name).filter(({ path }) => path.includes('/manifests/')).length;
}

test('missing keeps the image that is there, newer takes that which has the tag by now, and what runs keeps its own', async () => {
  const image = await freshImage();
  const old = await ran(await start(image));
  const wait = `${WHICH}; until [ -e go ]; do sleep 0.1; done; ${WHICH}`;
  const running = await daemon.submit(image.reference, '--', 'sh', '-c', wait);
  await until(() => daemon.storedState(running) === 'running');
  await moveTag(image);

  expect(await ran(await start(image, '--pull', 'missing'))).toEqual({
    ...{ which: old.which, digest: old.digest, kinds: ['image-ready'] },
  });
  const newer = await ran(await start(image, '--pull', 'newer'));
  expect(newer.which).not.toBe(old.which);
  expect(newer).toMatchObject({
    digest: await manifestDigest(image.name),
    kinds: ['pull-started', 'pull-finished', 'image-ready'],
  });
  // whoever asks nothing has what is there by now
  expect((await ran(await start(image))).which).toBe(newer.which);

  const go = await daemon.cli('exec', running, '--', 'sh', '-c', `${WHICH}; touch go`);
  expect(go.stdout, go.stderr).toBe(old.which);
  const kept = await ran(running);
  expect(kept).toMatchObject({ which: old.which.repeat(2), digest: old.digest });
});

test('a tag that has not moved costs one question, and the answer counts for all', async () => {
  const image = await freshImage();
  const first = await ran(await start(image, '--pull', 'newer'));
  const before = manifestQuestions(image);
  const blobs = [...fetchesByBlob(image.name).values()];
  const second = await ran(await start(image, '--pull', 'newer'));
  expect(second).toEqual({ ...first, kinds: ['image-ready'] });
  expect(manifestQuestions(image)).toBe(before + 1);
  expect([...fetchesByBlob(image.name).values()]).toEqual(blobs);

  const hourly = () => start(image, '--host', 'hourly');
  await ran(await hourly());
  const asked = manifestQuestions(image);
  for (const id of await Promise.all([hourly(), hourly(), hourly()])) {
    expect((await ran(id)).which).toBe(first.which);
  }
  expect(manifestQuestions(image)).toBe(asked);
});

test('a registry that cannot be asked is a warning: the image that is there is run', async () => {
  const { name } = await freshImage();
  const image = { name, reference: `docker://${proxy.name}/${name}:1` };
  const first = await ran(await start(image));
  await moveTag(image);
  proxy.spoil('/manifests/', 100, { kind: 'status', status: 500 });
  const second = await ran(await start(image, '--pull', 'newer'));
  proxy.spoil('/manifests/', 0, { kind: 'status', status: 500 });
  expect(second).toEqual({ ...first, kinds: ['pull-not-asked', 'image-ready'] });
  const third = await ran(await start(image, '--pull', 'newer'));
  expect(third.which).not.toBe(first.which);
});
