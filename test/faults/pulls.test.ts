/**
 * Goal: whatever a registry answers, an image comes whole or not at all, and a pull that can go on does.
 * Method: real pulls on the bed through a registry that refuses, breaks off or is slow for a while.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import {
  type RegistryProxy,
  startRegistryProxy,
  type Trouble,
} from '../support/faults/registry-proxy.ts';
import { freshImage } from '../support/registry.ts';
import { shareOf } from '../support/share.ts';

let daemon: TestDaemon;
let registry: RegistryProxy;

beforeAll(async () => {
  registry = await startRegistryProxy();
  daemon = makeDaemon({
    vm: {
      image_cache_dir: '',
      insecure_registries: registry.name,
      pull_attempts: '4',
      pull_backoff: '100ms',
      pull_backoff_cap: '200ms',
    },
  });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

interface ImageJson {
  reference: string;
  path: string;
  sha256: string;
}

/** One good image, and nothing else of it. */
async function oneGoodImage(reference: string): Promise<void> {
  const { stdout } = await daemon.cli('image', 'list', 'vm', '--json');
  const { images } = JSON.parse(stdout) as { images: ImageJson[] };
  const mine = images.filter((image) => image.reference === reference);
  expect(mine).toHaveLength(1);
  const [image] = mine as [ImageJson];
  const sum = (await onHost('vm', 'sha256sum', image.path)).split(' ')[0];
  expect(sum).toBe(image.sha256);
  const names = await onHost('vm', 'sh', '-c', 'ls -A "${0%/*}"', image.path);
  expect(names.split('\n').filter((name) => /^\.(pull|old)-/.test(name))).toEqual([]);
}

const PASSING: [string, string, number, Trouble][] = [
  ['turns away with 429', '/manifests/', 8, { kind: 'status', status: 429 }],
  ['fails with 500', '/manifests/', 2, { kind: 'status', status: 500 }],
  ['is slow', '/blobs/', 3, { kind: 'slow', pieceBytes: 64 * 1024, pauseMs: 20 }],
  ['sends a layer that is another', '/blobs/', 1, { kind: 'wrong' }],
  ['breaks off in the middle of a layer', '/blobs/', 1, { kind: 'half' }],
  ['fails with 503 for a layer', '/blobs/', 2, { kind: 'status', status: 503 }],
];

test.each(shareOf(PASSING, 3))(
  'row 30: a registry that %s for a while: one good image in the end',
  async (_, part, times, trouble) => {
    const { name } = await freshImage(1);
    const reference = `docker://${registry.name}/${name}:1`;
    const before = registry.spoilt();
    registry.spoil(`/${name}${part}`, times, trouble);
    const ran = await daemon.cli('run', '--host', 'vm', reference, '--', 'echo', 'here');
    expect(ran).toMatchObject({ code: 0, stdout: 'here\n' });
    expect(registry.spoilt()).toBeGreaterThan(before);
    await oneGoodImage(reference);
  },
);

test.each<[string, string, string, Trouble]>([
  ['turns away with 429', 'IMAGE_RATE_LIMITED', '/manifests/', { kind: 'status', status: 429 }],
  ['fails with 500', 'IMAGE_REGISTRY_FAILED', '/manifests/', { kind: 'status', status: 500 }],
  [
    'fails with 500 for a layer',
    'IMAGE_REGISTRY_FAILED',
    '/blobs/',
    { kind: 'status', status: 500 },
  ],
  ['sends another layer', 'IMAGE_CORRUPT', '/blobs/', { kind: 'wrong' }],
  ['wants a login', 'IMAGE_UNAUTHORIZED', '/manifests/', { kind: 'login' }],
])(
  'row 30: a registry that %s to the end: %s, no image, and the next task need not ask',
  async (_, code, part, trouble) => {
    const { name } = await freshImage(1);
    const reference = `docker://${registry.name}/${name}:1`;
    registry.spoil(`/${name}${part}`, 1_000_000, trouble);
    const id = await daemon.submit('--host', 'vm', reference, '--', 'true');
    await daemon.cli('wait', id);
    expect((await daemon.show(id)).failure).toMatchObject({ code });
    const asked = registry.spoilt();
    const second = await daemon.submit('--host', 'vm', reference, '--', 'true');
    await daemon.cli('wait', second);
    const { failure } = await daemon.show(second);
    expect(failure?.code).toBe(code);
    expect(failure?.message).toMatch(/not asked for again before 20\d\d-/);
    expect(registry.spoilt()).toBe(asked);
    const names = await onHost('vm', 'sh', '-c', 'ls -A "$0"', `${daemon.root}/images`);
    expect(
      names.split('\n').filter((file) => file.includes(name) && file.endsWith('.sif')),
    ).toEqual([]);
    registry.spoil('nothing', 0, trouble);
    await daemon.cli('retry', second);
    expect((await daemon.cli('wait', second)).code).toBe(0);
    await oneGoodImage(reference);
  },
);

test('row 30: a registry that breaks off every time leaves no half image, and its failure is told', async () => {
  const { name } = await freshImage(1);
  const reference = `docker://${registry.name}/${name}:1`;
  registry.spoil(`/${name}/blobs/`, 1_000_000, { kind: 'half' });
  const ran = await daemon.cli('image', 'pull', 'vm', reference);
  expect(ran.code).toBe(3);
  expect(ran.stderr).toMatch(/IMAGE_(REGISTRY_UNREACHABLE|PULL_FAILED)/);
  const names = await onHost('vm', 'sh', '-c', 'ls -A "$0"', `${daemon.root}/images`);
  expect(names.split('\n').filter((file) => file.includes(name) && file.endsWith('.sif'))).toEqual(
    [],
  );
});
