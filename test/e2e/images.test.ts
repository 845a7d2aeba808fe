/**
 * Goal: an image comes to a host once, whole or not at all, and its failure is told with the right code.
 * Method: real pulls from the bed's registry. Its access log and a runtime that counts its own starts
 * are the oracles; processes of the pull are killed on the host as root.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import {
  COUNTING_RUNTIME,
  fetchesByBlob,
  freshImage,
  manifestDigest,
  requestsFor,
  runtimeStarts,
} from '../support/registry.ts';
import { processesWith, signalAll } from '../support/remote-processes.ts';
import { until } from '../support/until.ts';

/** So much that a pull can be caught in the middle. */
const LARGE_MB = 12;

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon({
    vm: {
      image_cache_dir: '',
      runtime: COUNTING_RUNTIME,
      pull_attempts: '2',
      pull_backoff: '100ms',
      insecure_registries: 'registry:5000, registry:5999',
    },
  });
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

/** Names in the image cache: images and the records beside them. */
async function cached(): Promise<string[]> {
  const names = await onHost(
    'vm',
    'sh',
    '-c',
    'ls "$0" 2>/dev/null; true',
    `${daemon.root}/images`,
  );
  return names.split('\n').filter(Boolean);
}

async function sifOf(name: string): Promise<string | undefined> {
  return (await cached()).find((file) => file.includes(name) && file.endsWith('.sif'));
}

function pullProcesses(name: string): Promise<number[]> {
  return processesWith(`TOWLINE_PULL=registry_5000_${name}_1-`);
}

/** Submits a task in the image and waits until the pull is under way on the host. */
async function startPull(image: { name: string; reference: string }): Promise<string> {
  const id = await daemon.submit(image.reference, '--', 'true');
  await until(() => requestsFor(image.name).some(({ path }) => path.includes('/blobs/')));
  expect(await sifOf(image.name)).toBeUndefined();
  return id;
}

/** As startPull, and the runtime that pulls is stopped: found and stopped in one act, or on a busy machine it would be done before. */
async function startHeldPull(reference: string): Promise<string> {
  const id = await daemon.submit(reference, '--', 'true');
  await until(() => signalRuntime('STOP', reference));
  return id;
}

/** To the runtime that pulls this; false when there is none. */
function signalRuntime(signal: string, reference: string): Promise<boolean> {
  return onHost('vm', 'pkill', `-${signal}`, '-f', `apptainer.* pull .*${reference}`).then(
    () => true,
    () => false,
  );
}

async function ended(id: string): Promise<Awaited<ReturnType<TestDaemon['show']>>> {
  await daemon.cli('wait', id);
  return daemon.show(id);
}

test('eight tasks that want one new image fetch each of its blobs once', async () => {
  const image = await freshImage();
  const tasks = Array.from({ length: 8 }, (_, index) => ({
    image: image.reference,
    command: ['sh', '-c', `echo ${index}`],
  }));
  const file = join(daemon.dir, 'eight.json');
  writeFileSync(file, JSON.stringify(tasks));
  const ids = (await daemon.submit('--file', file)).split('\n');
  expect(ids).toHaveLength(8);
  const waited = await daemon.cli('wait', ...ids);
  expect(waited.code, waited.stderr).toBe(0);
  const fetches = fetchesByBlob(image.name);
  expect(fetches.size).toBeGreaterThanOrEqual(3);
  expect([...fetches.values()]).toEqual(Array.from(fetches.values(), () => 1));
  expect(runtimeStarts('pull', image.reference)).toBe(1);
});

test('a second run of an image that is there pulls nothing', async () => {
  const image = await freshImage();
  const first = await daemon.cli('run', image.reference, '--', 'echo', 'one');
  expect(first.stdout, first.stderr).toBe('one\n');
  const asked = requestsFor(image.name).length;
  const second = await daemon.cli('run', image.reference, '--', 'echo', 'two');
  expect(second.stdout, second.stderr).toBe('two\n');
  expect(requestsFor(image.name)).toHaveLength(asked);
  expect(runtimeStarts('pull', image.reference)).toBe(1);
});

test('a pull whose processes are all killed midway leaves no image, and the retry succeeds', async () => {
  const image = await freshImage(LARGE_MB);
  const id = await startPull(image);
  const doomed = await pullProcesses(image.name);
  expect(doomed.length).toBeGreaterThan(2);
  // Stopped first: none of them can notice the end of another and clean up.
  await signalAll('STOP', doomed);
  await signalAll('KILL', doomed);
  expect(await sifOf(image.name)).toBeUndefined();
  expect((await ended(id)).state).toBe('succeeded');
  expect(runtimeStarts('pull', image.reference)).toBe(2);
  expect((await cached()).filter((file) => file.includes(image.name))).toHaveLength(2);
});

test('a runtime that is killed while it pulls is started again', async () => {
  const image = await freshImage(LARGE_MB);
  const id = await startPull(image);
  await until(() => signalRuntime('KILL', image.reference));
  expect((await ended(id)).state).toBe('succeeded');
  expect(runtimeStarts('pull', image.reference)).toBe(2);
});

test('a pull outlives a daemon that is killed, and is taken up again', async () => {
  const image = await freshImage(LARGE_MB);
  const id = await startHeldPull(image.reference);
  await daemon.kill('SIGKILL');
  expect(await pullProcesses(image.name)).not.toEqual([]);
  await signalRuntime('CONT', image.reference);
  await daemon.start();
  expect((await ended(id)).state).toBe('succeeded');
  expect([...fetchesByBlob(image.name).values()].every((count) => count === 1)).toBe(true);
  expect(runtimeStarts('pull', image.reference)).toBe(1);
});

test('an unknown tag fails at once and is not tried again', async () => {
  const { name } = await freshImage();
  const reference = `docker://registry:5000/${name}:none`;
  const ran = await daemon.cli('run', '--json', reference, '--', 'true');
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('IMAGE_MANIFEST_UNKNOWN');
  expect(ran.stderr).toContain('manifest unknown');
  expect(runtimeStarts('pull', reference)).toBe(1);
  const asked = requestsFor(name).filter(({ path }) => path.endsWith('/manifests/none'));
  // One series of the runtime's own: it looks, then asks.
  expect(asked).toEqual([
    { method: 'HEAD', path: expect.any(String), status: 404 },
    { method: 'GET', path: expect.any(String), status: 404 },
  ]);
});

test('of several images the first that can be had is used, and shown', async () => {
  const image = await freshImage();
  const file = join(daemon.dir, 'candidates.json');
  const missing = `docker://registry:5000/${image.name}:none`;
  writeFileSync(file, JSON.stringify({ image: [missing, image.reference], command: ['true'] }));
  const task = await ended(await daemon.submit('--file', file));
  expect(task).toMatchObject({
    ...{ state: 'succeeded', image: image.reference },
    imageDigest: await manifestDigest(image.name),
  });
});

test('an image file on the host is used where it is and never removed', async () => {
  const image = await freshImage();
  const pulled = await daemon.cli('image', 'pull', 'vm', image.reference);
  expect(pulled.code, pulled.stderr).toBe(0);
  const plain = `${daemon.root}/own.sif`;
  await onHost('vm', 'cp', '-p', pulled.stdout.trim(), plain);
  const before = await cached();
  for (const reference of [plain, `file://${plain}`]) {
    const ran = await daemon.cli('run', reference, '--', 'echo', 'own');
    expect(ran.stdout, ran.stderr).toBe('own\n');
  }
  const removed = await daemon.cli('image', 'remove', 'vm', plain);
  expect(removed.code).toBe(2);
  expect(removed.stderr).toContain('never removes it');
  expect(await cached()).toEqual(before);
  await onHost('vm', 'test', '-s', plain);
});

test('an image file that is not on the host is named in the failure', async () => {
  const path = `${daemon.root}/nowhere.sif`;
  const id = await daemon.submit(path, '--', 'true');
  const task = await ended(id);
  expect(task).toMatchObject({ state: 'error', failure: { code: 'IMAGE_NOT_FOUND' } });
  expect(task.failure?.message).toContain(path);
});

test('images are listed with their size and hash, pulled and removed by their reference', async () => {
  const image = await freshImage();
  const listed = async (): Promise<{ reference: string; sha256: string; bytes: number }[]> => {
    const ran = await daemon.cli('image', 'list', 'vm', '--json');
    return (JSON.parse(ran.stdout) as { images: [] }).images;
  };
  expect((await listed()).map(({ reference }) => reference)).not.toContain(image.reference);
  const pulled = await daemon.cli('image', 'pull', 'vm', image.reference);
  const path = pulled.stdout.trim();
  const entry = (await listed()).find(({ reference }) => reference === image.reference);
  const [sha256] = (await onHost('vm', 'sha256sum', path)).split(' ');
  const bytes = Number(await onHost('vm', 'stat', '-c', '%s', path));
  const digest = await manifestDigest(image.name);
  expect(entry).toMatchObject({ sha256, bytes, path, digest });
  const removed = await daemon.cli('image', 'remove', 'vm', image.reference);
  expect(removed.code, removed.stderr).toBe(0);
  expect((await cached()).filter((file) => file.includes(image.name))).toEqual([]);
  const again = await daemon.cli('image', 'remove', 'vm', image.reference);
  expect(again.stderr).toContain('IMAGE_NOT_FOUND');
});

test('a cancel while an image is pulled ends the pull on the host', async () => {
  const image = await freshImage(LARGE_MB);
  // it may be done before the cancel comes otherwise; an image that is ready rightly stays
  const id = await startHeldPull(image.reference);
  expect(await pullProcesses(image.name)).not.toEqual([]);
  await daemon.cli('cancel', id);
  expect((await ended(id)).state).toBe('cancelled');
  await until(async () => (await pullProcesses(image.name)).length === 0);
  await until(async () =>
    (await onHost('vm', 'ls', '-A', `${daemon.root}/images`))
      .split('\n')
      .every((file) => !file.includes(image.name)),
  );
});

test('a pull that another task still waits for goes on when one is cancelled', async () => {
  const image = await freshImage(LARGE_MB);
  const [first, second] = [
    await startHeldPull(image.reference),
    await daemon.submit(image.reference, '--', 'true'),
  ];
  await until(() => daemon.storedState(second) === 'pulling');
  await daemon.cli('cancel', first);
  await signalRuntime('CONT', image.reference);
  expect((await ended(second)).state).toBe('succeeded');
  expect(runtimeStarts('pull', image.reference)).toBe(1);
});

test('a registry that does not answer is tried as often as configured, then told', async () => {
  const reference = `docker://registry:5999/${(await freshImage()).name}:1`;
  const task = await ended(await daemon.submit(reference, '--', 'true'));
  expect(task).toMatchObject({ state: 'error', failure: { code: 'IMAGE_REGISTRY_UNREACHABLE' } });
  expect(runtimeStarts('pull', reference)).toBe(2);
});

test('the pull of an image is told in the events of its task, in order; of one that is there nothing', async () => {
  const image = await freshImage(LARGE_MB);
  const kinds = async (id: string): Promise<string[]> => {
    await daemon.cli('wait', id);
    const { stdout } = await daemon.cli('events', '--json', '--task', id);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind?: string });
    return events.map(({ kind }) => kind ?? '').filter((kind) => /^(pull|image)-/.test(kind));
  };
  const submit = () => daemon.submit(image.reference, '--', 'true');
  const [first, beside] = await Promise.all([submit(), submit()]);
  const story = ['pull-started', 'pull-finished', 'image-ready'];
  expect([await kinds(first), await kinds(beside)]).toEqual([story, story]);
  expect(await kinds(await submit())).toEqual(['image-ready']);
});
