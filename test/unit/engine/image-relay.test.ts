/**
 * Goal: an image that a host cannot pull comes from another one: asked in the right order, sent once, gone on
 * with after a cut, and every failure names both hosts. Method: fake hosts that say what the test wants.
 */
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { createImageRelay } from '../../../src/engine/image-relay.ts';
import { createImageKeeper, type PullWatch } from '../../../src/engine/images.ts';
import type { HostPolicy } from '../../../src/engine/settings.ts';
import { aPolicy, DAEMON, LOG, seatsOf } from '../../support/engine-parts.ts';
import { FakeHost, probeReply, ROOT } from '../../support/fake-host.ts';

const MINI = 'docker://mini:1';
const SUM = 'a'.repeat(64);
const BYTES = Buffer.from('the bytes of the image');
const SIF = `${ROOT}/images/mini.sif`;
const PART = `${ROOT}/images/.part-mini/image.sif`;
const READY = `@ ready ${SUM} - ${SIF}`;
const RECORD = { format: 1, reference: MINI, sha256: SUM, bytes: BYTES.length, digest: 'sha256:1' };
const refused = '@ failed\n| FATAL: dial tcp 192.0.2.1: connection refused';
const away = (): never => {
  throw new AppError('SSH_HOST_UNREACHABLE', 'near does not answer');
};

/** `far` wants images; `near` has them, unless the test says otherwise. */
async function house(far: Partial<HostPolicy> = {}, near: Partial<HostPolicy> = {}) {
  const target = new FakeHost('far');
  const source = new FakeHost('near');
  target.on(/^pulling/, () => refused);
  source.on(/^pulling/, () => READY).on(/^looking at image/, () => fileReply());
  source.files.set(SIF, BYTES);
  target.on(/^receiving/, ({ script }) => {
    if (script.includes("text='{")) return READY;
    return `@ part ${target.files.get(PART)?.length ?? 0} ${PART}`;
  });
  target.on(/^removing what came/, () => {
    target.files.delete(PART);
    return '@ done';
  });
  const seats = await seatsOf([
    [{ imageSource: 'auto', ...far }, target],
    [near, source],
  ]);
  let nonces = 0;
  const clock = { now: 1_000 };
  const keeper = createImageKeeper({
    nonce: () => `n${(nonces += 1)}`,
    now: () => clock.now,
    random: () => 1,
  });
  const relay = createImageRelay({
    ...{ keeper, seats, daemonId: DAEMON, log: LOG, now: () => clock.now },
  });
  const want = (reference = MINI, more: Partial<PullWatch> = {}) => {
    const controller = new AbortController();
    const progress: (number | undefined)[][] = [];
    const onProgress = (...bytes: (number | undefined)[]) => progress.push(bytes);
    const watch = { signal: controller.signal, onProgress, ...more };
    const image = relay.have(seats.get('far'), reference, watch);
    image.catch(() => {});
    return { image, progress, leave: (why?: unknown) => controller.abort(why) };
  };
  return { target, source, want, seats, relay, clock };
}

function fileReply(record: object = RECORD): string {
  return `@ bytes ${BYTES.length}\n@ record ${JSON.stringify(record)}\n@ done`;
}

test('with image_source = pull nobody else is asked', async () => {
  const { want, source } = await house({ imageSource: 'pull' });
  await expect(want().image).rejects.toMatchObject({ code: 'IMAGE_REGISTRY_UNREACHABLE' });
  expect(source.calls).toEqual([]);
});

test('auto pulls where it can, and tries once where it cannot before the other host sends', async () => {
  const { want, source, target } = await house();
  const { image, progress } = want();
  expect(await image).toEqual({ reference: MINI, path: SIF, sha256: SUM });
  expect(target.files.get(PART)).toEqual(BYTES);
  expect([target.count(/^pulling/), source.count(/^pulling/)]).toEqual([1, 1]);
  expect(progress.at(-1)).toEqual([BYTES.length, BYTES.length]);
  target.on(/^pulling/, () => READY);
  await want().image;
  expect(source.count(/^pulling/)).toBe(1);
});

test.each([
  ['manifest unknown', 'IMAGE_MANIFEST_UNKNOWN'],
  ['unauthorized: authentication required', 'IMAGE_UNAUTHORIZED'],
])('auto sends nothing when the registry itself said no: %s', async (said, code) => {
  const { want, source, target } = await house();
  target.on(/^pulling/, () => `@ failed\n| ${said}`);
  await expect(want().image).rejects.toMatchObject({ code });
  expect(source.calls).toEqual([]);
});

test('upload never asks the host to pull; ten who want it share one transfer', async () => {
  const { want, source, target } = await house({ imageSource: 'upload' });
  const all = Array.from({ length: 10 }, () => want());
  for (const { image } of all) expect((await image).path).toBe(SIF);
  expect(target.count(/^pulling/)).toBe(0);
  expect([source.count(/^download/), target.count(/^upload/)]).toEqual([1, 1]);
});

test('the record goes with the image, with all that the pull has written there', async () => {
  const { want, target } = await house();
  await want().image;
  const text = target.scripts.find((script) => script.includes("text='{"));
  expect(text).toContain('"digest":"sha256:1"');
  expect(text).not.toContain('"at":1');
});

test('an image without a record is hashed where it is', async () => {
  const { want, source } = await house();
  source.on(/^looking at image/, () => `@ bytes ${BYTES.length}\n@ done`);
  source.on(/^hashing image/, () => `@ sum 0 ${SUM}\n@ done`);
  expect((await want().image).sha256).toBe(SUM);
  expect(source.count(/^hashing/)).toBe(1);
});

test('bytes that do not fit on the target are told before any is sent', async () => {
  const { want, target } = await house();
  target.on(/^receiving/, () => '@ nospace 5');
  await expect(want().image).rejects.toMatchObject({
    code: 'HOST_NO_SPACE',
    context: { host: 'far' },
  });
  expect(target.count(/^upload/)).toBe(0);
});

test('bytes that are others on arrival are sent anew, and not for ever', async () => {
  const { want, target } = await house();
  target.on(/^receiving/, ({ script }) =>
    script.includes("text='{") ? '@ mismatch' : `@ part 0 ${PART}`,
  );
  await expect(want().image).rejects.toMatchObject({
    code: 'IMAGE_CORRUPT',
    message: expect.stringMatching(/far.*near/),
  });
  expect(target.count(/^upload/)).toBe(3);
});

test('whoever cancels has the part removed; a daemon that stops leaves it for the next', async () => {
  for (const [why, removed] of [
    [undefined, 1],
    [new AppError('DAEMON_STOPPING', 'the daemon is stopping'), 0],
  ] as const) {
    const { want, target } = await house();
    const { image, leave } = want();
    target.on(/^receiving/, () => {
      leave(why);
      return `@ part 0 ${PART}`;
    });
    await expect(image).rejects.toBeDefined();
    await expect.poll(() => target.count(/^removing what came/)).toBe(removed);
  }
});

test('IMAGE_SOURCE_AWAY: a source that does not answer is waited for, in words of both hosts', async () => {
  const { want, source } = await house();
  source.on(/^looking at host/, away);
  await expect(want().image).rejects.toMatchObject({
    code: 'IMAGE_SOURCE_AWAY',
    retry: 'later',
    message: expect.stringMatching(
      /on far: .*connection refused.*from near: near does not answer/s,
    ),
    context: { host: 'far', source: 'near' },
  });
});

test('a link of the source that is cut in the middle is the trouble of the source', async () => {
  const { want, source, target } = await house();
  source.fault = new AppError('SSH_CONNECTION_LOST', 'the link to near broke');
  await expect(want().image).rejects.toMatchObject({ code: 'IMAGE_SOURCE_AWAY' });
  expect(target.count(/^removing what came/)).toBe(0);
});

test('a link of the target that is cut is told as it is: the task waits for its own host', async () => {
  const { want, target } = await house();
  target.fault = new AppError('SSH_CONNECTION_LOST', 'the link to far broke');
  await expect(want().image).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  expect(target.count(/^removing what came/)).toBe(0);
});

test('IMAGE_NO_SOURCE: with upload and nobody who pulls', async () => {
  const { want } = await house({ imageSource: 'upload' }, { imageSource: 'upload' });
  await expect(want().image).rejects.toMatchObject({ code: 'IMAGE_NO_SOURCE' });
});

test('with auto and nobody who pulls the host itself tries as often as it may', async () => {
  const { want, target } = await house({}, { imageSource: 'auto' });
  await expect(want().image).rejects.toMatchObject({ code: 'IMAGE_REGISTRY_UNREACHABLE' });
  expect(target.count(/^pulling/)).toBe(3);
});

test('IMAGE_ARCHITECTURE: an image for another kind of CPU is not even pulled', async () => {
  const { want, source, target } = await house({ imageFrom: 'near' });
  source.on(/^looking at host/, () => `@ fact arch aarch64\n${probeReply()}`);
  target.on(/^looking at host/, () => `@ fact arch x86_64\n${probeReply()}`);
  await expect(want().image).rejects.toMatchObject({
    code: 'IMAGE_ARCHITECTURE',
    message: expect.stringMatching(/near is aarch64, far is x86_64/),
  });
  expect(source.count(/^pulling/)).toBe(0);
});

test('hosts are asked in order: those connected first, none that is away, disabled or fed itself', async () => {
  const { sourcesFor } = await import('../../../src/engine/image-sources.ts');
  const hosts = ['far', 'idle', 'off', 'fed', 'gone', 'near'].map((name) => new FakeHost(name));
  const [, idle, , , gone] = hosts;
  const policies: Record<string, Partial<HostPolicy>> = {
    far: { imageSource: 'auto' },
    off: { enabled: false },
    fed: { imageSource: 'upload' },
  };
  const seats = await seatsOf(hosts.map((host) => [policies[host.name] ?? {}, host]));
  idle?.setLink({ kind: 'idle' });
  gone?.setLink({ kind: 'unreachable', since: 0, code: 'X', message: '', nextTryAt: 1 });
  const names = () => sourcesFor(seats.get('far'), seats).map(({ name }) => name);
  expect(names()).toEqual(['near', 'idle']);
});

const REMEMBERS = { memory: { firstMs: 1_000, capMs: 3_000 } };

test('a registry that the host could not reach is not tried for the next image either, until a time that doubles', async () => {
  const pull = { ...aPolicy().pull, ...REMEMBERS };
  const { want, target, clock, relay } = await house({ pull });
  target.on(/^looking for image/, () => '@ absent');
  const tries: number[] = [];
  const another = async (image: string, more: Partial<PullWatch> = {}): Promise<void> => {
    target.files.delete(PART);
    expect((await want(image, more).image).path).toBe(SIF);
    tries.push(target.count(/^pulling/));
  };
  for (const n of [1, 2, 3]) await another(`docker://reg.example.org/i${n}:1`);
  expect(tries).toEqual([1, 1, 1]);
  await another('docker://other.example.org/i1:1');
  expect(tries.at(-1)).toBe(2);
  clock.now += 1_000;
  await another('docker://reg.example.org/i4:1');
  clock.now += 1_999;
  await another('docker://reg.example.org/i5:1');
  expect(tries.slice(-2)).toEqual([3, 3]);
  // a person asks
  await another('docker://reg.example.org/i6:1', { urgent: true });
  relay.forgetFailures(['docker://reg.example.org/i6:1']);
  await another('docker://reg.example.org/i7:1');
  expect(tries.slice(-2)).toEqual([4, 5]);
});

test('while a registry is not tried, an image that is there is taken without asking anybody', async () => {
  const pull = { ...aPolicy().pull, ...REMEMBERS };
  const { want, target, source } = await house({ pull });
  await want().image;
  const asked = source.calls.length;
  target.on(/^looking for image/, () => READY);
  expect((await want('docker://there:1').image).path).toBe(SIF);
  expect([source.calls.length, target.count(/^pulling/)]).toEqual([asked, 1]);
});

test('the host that sends asks whether the tag moved; when nobody can say, what is there is run', async () => {
  const { want, target, source } = await house({ imageSource: 'upload' });
  const newer = { everyMs: 5_000 };
  await want(MINI, { newer }).image;
  expect(source.scripts.find((text) => text.includes('every='))).toContain("every='5'");
  expect(target.scripts.find((text) => text.includes('newer='))).toMatch(/ newer=1$/m);
  source.on(/^pulling/, away);
  target.on(/^looking for image/, () => READY);
  const stale: string[] = [];
  const onStale = ({ code }: AppError): void => void stale.push(code);
  expect((await want(MINI, { newer, onStale }).image).path).toBe(SIF);
  expect(stale).toEqual(['IMAGE_SOURCE_AWAY']);
  await expect(want().image).rejects.toMatchObject({ code: 'IMAGE_SOURCE_AWAY' });
});
