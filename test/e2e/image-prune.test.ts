/**
 * Goal: pruning frees what nobody uses, and nothing else. Method: two daemons with roots of their own share one
 * directory of images, in which the user has a SIF, too; one prunes while a task of the other runs.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { freshImage } from '../support/registry.ts';
import { until } from '../support/until.ts';

const CACHE = `/home/alice/t/shared-${randomBytes(4).toString('hex')}`;
let one: TestDaemon;
let two: TestDaemon;

beforeAll(async () => {
  [one, two] = [0, 1].map(() =>
    makeDaemon({ vm: { image_cache_dir: CACHE, pull_ask_every: '0s' } }),
  ) as [TestDaemon, TestDaemon];
  await Promise.all([one.start(), two.start()]);
});

afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  await onHost('vm', 'rm', '-rf', CACHE);
});

interface Pruned {
  images: { reference: string; bytes: number; lastUsedAt: string }[];
  bytes: number;
  kept: { inUse: number; recent: number };
}

async function prune(...options: string[]): Promise<Pruned> {
  const ran = await one.cli('image', 'prune', 'vm', '--json', ...options);
  expect(ran.code, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout) as Pruned;
}

test('an image goes when no task of any daemon that shares it used it for so long; a SIF of the user next to it stays', async () => {
  const image = await freshImage();
  const pulled = await one.cli('image', 'pull', 'vm', image.reference);
  const path = pulled.stdout.trim();
  expect(path, pulled.stderr).toContain(CACHE);
  const own = `${CACHE}/my own.sif`;
  await onHost('vm', 'su', 'alice', '-c', `cp '${path}' '${own}'`);

  const id = await two.submit(
    image.reference,
    '--',
    'sh',
    '-c',
    'until [ -e go ]; do sleep 0.1; done',
  );
  await until(() => two.storedState(id) === 'running');
  expect(await prune('--older-than', '0s')).toMatchObject({
    images: [],
    kept: { inUse: 1, recent: 0 },
  });
  await two.cli('exec', id, '--', 'touch', 'go');
  expect((await two.cli('wait', id)).code).toBe(0);
  await until(async () => (await two.show(id)).cleanup.state === 'done');

  expect(await prune()).toMatchObject({ images: [], kept: { inUse: 0, recent: 1 } });
  const would = await prune('--older-than', '0s', '--dry-run');
  expect(would.images).toMatchObject([{ reference: image.reference }]);
  await onHost('vm', 'test', '-s', path);
  expect((await prune('--older-than', '0s')).bytes).toBe(would.bytes);
  expect(await onHost('vm', 'ls', '-A', CACHE)).toBe('my own.sif\n');
  const { stdout } = await one.cli('gc', '--history', '--json');
  expect(stdout).toContain(image.reference);
});

test('a shared cache that cannot be written is used as it is, by who asks for newer images, too', async () => {
  const image = await freshImage();
  expect((await one.cli('image', 'pull', 'vm', image.reference)).code).toBe(0);
  await onHost('vm', 'chown', '-R', 'root', CACHE);
  for (const when of ['missing', 'newer']) {
    const ran = await two.cli('run', '--pull', when, image.reference, '--', 'echo', when);
    expect(ran.stdout, ran.stderr).toBe(`${when}\n`);
  }
});
