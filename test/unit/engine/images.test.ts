/**
 * Goal: one pull per image and host whoever wants it, tried as often as it can help and ended when nobody
 * wants it. Method: a fake host whose pull job says what the test wants.
 */
import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { createImageKeeper, type PullWatch } from '../../../src/engine/images.ts';
import type { HostPolicy } from '../../../src/engine/settings.ts';
import { seatOf } from '../../support/engine-parts.ts';
import { FakeHost, probeReply } from '../../support/fake-host.ts';
import { until } from '../../support/until.ts';

const MINI = 'docker://mini:1';
const SUM = 'a'.repeat(64);
const DIGEST = `sha256:${'d'.repeat(64)}`;
const PATH = '/home/alice/.towline/images/mini.sif';
const READY = `@ ready ${SUM} ${DIGEST} ${PATH}`;
const IMAGE = { reference: MINI, path: PATH, sha256: SUM, digest: DIGEST };
const failed = (said: string): string => `@ failed\n| ${said}`;
const lost = (): AppError => new AppError('SSH_CONNECTION_LOST', 'the link broke');

/** The replies to the pull's own text in order; the last one again and again. */
async function house(replies: (string | Error)[], policy: Partial<HostPolicy> = {}) {
  const host = new FakeHost();
  const say = (): string => {
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply instanceof Error) throw reply;
    return reply ?? '';
  };
  host.on(/^pulling/, say).on(/^ending the pull/, () => '@ ended');
  const seat = await seatOf(host, policy);
  let nonces = 0;
  const clock = { now: 1_000 };
  const keeper = createImageKeeper({
    nonce: () => `n${(nonces += 1)}`,
    random: () => 1,
    now: () => clock.now,
  });
  const want = (reference = MINI, more: Partial<PullWatch> = {}) => {
    const controller = new AbortController();
    const progress: number[] = [];
    const watch = {
      signal: controller.signal,
      onProgress: (b: number) => progress.push(b),
      ...more,
    };
    const image = keeper.have(seat, reference, watch);
    image.catch(() => {});
    return { image, progress, leave: (why?: unknown) => controller.abort(why) };
  };
  return { host, want, seat, keeper, clock, nonces: () => nonces, replies };
}

test('an image that is there is there after one question', async () => {
  const { host, want } = await house([READY]);
  expect(await want().image).toEqual(IMAGE);
  expect(host.count(/^pulling/)).toBe(1);
});

test('a SIF of the host is taken as it is; nothing is pulled', async () => {
  const { host, want } = await house([]);
  expect(await want('/images/mine.sif').image).toEqual({
    reference: '/images/mine.sif',
    path: '/images/mine.sif',
  });
  expect(host.count(/pull/)).toBe(0);
});

test('a hundred who want one image share one pull, are told its progress and get it together', async () => {
  const { host, want, nonces } = await house(['@ running 1', '@ running 2', READY]);
  const all = Array.from({ length: 100 }, () => want());
  for (const { image } of all) expect(await image).toEqual(IMAGE);
  for (const { progress } of all) expect(progress).toEqual([1024, 2048]);
  expect([host.count(/^pulling/), nonces()]).toEqual([3, 1]);
});

test('other images are pulled meanwhile, as many at once as the host allows', async () => {
  let most = 0;
  let pulling = 0;
  const { host, want } = await house([], { pull: pullPolicy({ maxConcurrent: 2 }) });
  host.on(/^pulling/, async () => {
    most = Math.max(most, (pulling += 1));
    await new Promise((resolve) => setImmediate(resolve));
    pulling -= 1;
    return READY;
  });
  const all = ['docker://a:1', 'docker://b:1', 'docker://c:1', 'docker://d:1'].map((r) => want(r));
  await Promise.all(all.map(({ image }) => image));
  expect(most).toBe(2);
});

function pullPolicy(more: Partial<HostPolicy['pull']>): HostPolicy['pull'] {
  const usual = { attempts: 3, backoffMs: 1, backoffCapMs: 2, timeoutMs: 1_000, maxConcurrent: 4 };
  const memory = { firstMs: 0, capMs: 0 };
  return { ...usual, memory, ...more };
}

test('a pull that fails for a passing reason is begun anew, with a nonce of its own', async () => {
  const { want, nonces } = await house([
    failed('FATAL: dial tcp: connection refused'),
    '@ running 1',
    failed('unexpected EOF'),
    READY,
  ]);
  expect(await want().image).toEqual(IMAGE);
  expect(nonces()).toBe(3);
});

test('when all tries have failed the last reason is told, as the runtime said it', async () => {
  const { host, want } = await house([failed('FATAL: dial tcp 192.0.2.1: connection refused')]);
  await expect(want().image).rejects.toMatchObject({
    code: 'IMAGE_REGISTRY_UNREACHABLE',
    message: expect.stringContaining('dial tcp 192.0.2.1'),
    context: { host: 'vm', image: MINI },
  });
  expect(host.count(/^pulling/)).toBe(3);
});

test.each([
  ['manifest unknown', 'IMAGE_MANIFEST_UNKNOWN'],
  ['unauthorized: authentication required', 'IMAGE_UNAUTHORIZED'],
  ['write: no space left on device', 'HOST_NO_SPACE'],
  ['invalid reference format', 'IMAGE_REFERENCE_INVALID'],
])('what no second try can mend stops at once: %s', async (said, code) => {
  const { host, want } = await house([failed(said)]);
  await expect(want().image).rejects.toMatchObject({ code });
  expect(host.count(/^pulling/)).toBe(1);
});

test('trouble with the link is told at once and uses up no try: the host is waited for', async () => {
  const { host, want, replies } = await house([lost()]);
  for (let i = 0; i < 5; i += 1) {
    await expect(want().image).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  }
  expect(host.count(/^pulling/)).toBe(5);
  replies.splice(0, 1, failed('connection refused'), failed('connection refused'), READY);
  expect(await want().image).toEqual(IMAGE);
});

test('a host that was closed for a new configuration is not asked again', async () => {
  const { host, want } = await house(['@ running 1']);
  const one = want();
  await until(() => one.progress.length > 0);
  await host.close();
  await expect(one.image).rejects.toMatchObject({ code: 'HOST_CALL_ABORTED' });
});

test('a host without a runtime is asked once more before it is told', async () => {
  const { host, want } = await house([READY]);
  let probes = 0;
  host.on(/^looking at host/, () => probeReply({}, (probes += 1) > 2));
  await expect(want().image).rejects.toMatchObject({ code: 'RUNTIME_NOT_FOUND' });
  expect(await want().image).toEqual(IMAGE);
});

test('when the last one leaves, the pull is ended on the host, at once', async () => {
  const { host, want } = await house(['@ running 1']);
  const [one, two] = [want(), want()];
  await until(() => two.progress.length > 0);
  one.leave(new Error('cancelled'));
  await expect(one.image).rejects.toThrow('cancelled');
  const polls = host.count(/^pulling/);
  await until(() => host.count(/^pulling/) > polls);
  expect(host.count(/^ending/)).toBe(0);
  two.leave();
  await expect(two.image).rejects.toThrow('aborted');
  await until(() => host.count(/^ending/) === 1);
  const after = host.count(/^pulling/);
  await new Promise((resolve) => setImmediate(resolve));
  expect(host.count(/^pulling/)).toBe(after);
});

test('what a pull left that failed as the last one left goes, too', async () => {
  const { host, want } = await house([]);
  const gate = Promise.withResolvers<string>();
  host.on(/^pulling/, () => gate.promise);
  const one = want();
  await until(() => host.count(/^pulling/) === 1);
  one.leave();
  await one.image.catch(() => {});
  gate.resolve(failed('unexpected EOF'));
  await until(() => host.count(/^ending/) === 1);
  expect(host.count(/^pulling/)).toBe(1);
});

test('who comes just after the last one left gets the image, not the other’s cancel', async () => {
  const { host, want, replies } = await house(['@ running 1']);
  const gate = Promise.withResolvers<string>();
  host.on(/^ending/, () => gate.promise);
  const one = want();
  await until(() => one.progress.length > 0);
  one.leave();
  await one.image.catch(() => {});
  const late = want();
  await until(() => host.count(/^ending/) === 1);
  replies.splice(0, 1, READY);
  gate.resolve('@ ended');
  expect(await late.image).toEqual(IMAGE);
});

test('a pull that nobody wants before it was begun asks nothing of the host', async () => {
  const { host, want, seat } = await house([READY]);
  seat.pulls.pause();
  const one = want();
  await until(() => seat.pulls.size === 1);
  one.leave();
  await expect(one.image).rejects.toThrow('aborted');
  seat.pulls.start();
  await seat.pulls.onIdle();
  expect(host.count(/pull/)).toBe(0);
});

test('a wish that is taken back during the first contact breaks nothing', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const { host, want } = await house(['@ running 1']);
  const gate = Promise.withResolvers<string>();
  host.on(/^looking at host/, () => gate.promise);
  const one = want();
  one.leave(new Error('cancelled'));
  gate.resolve(probeReply());
  await expect(one.image).rejects.toThrow('cancelled');
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
  expect(host.count(/pull/)).toBe(0);
});

test('when the daemon stops, the pull goes on where it is', async () => {
  const { host, want, seat } = await house(['@ running 1']);
  const one = want();
  await until(() => one.progress.length > 0);
  one.leave(new AppError('DAEMON_STOPPING', 'the daemon is stopping'));
  await expect(one.image).rejects.toMatchObject({ code: 'DAEMON_STOPPING' });
  await seat.pulls.onIdle();
  expect(host.count(/^ending/)).toBe(0);
});

test('a registry without TLS is spoken to as configured, and the cache is where the site wants it', async () => {
  const policy = { insecureRegistries: ['reg:5000'], imageCacheDir: '/scratch/images' };
  const { host, want } = await house([READY], policy);
  await want('docker://reg:5000/mini:1').image;
  await want('docker://other:5000/mini:1').image;
  const [plain, tls] = host.scripts.slice(-2);
  expect(plain).toContain("'--no-https'");
  expect(tls).not.toContain("'--no-https'");
  expect(plain).toContain('/scratch/images');
});

const REMEMBERS = { memory: { firstMs: 1_000, capMs: 3_000 } };
const UNKNOWN = failed('manifest unknown');

test('what a pull gave up for is told again, without asking, for a time that doubles up to its cap', async () => {
  const { host, want, clock } = await house([UNKNOWN], { pull: pullPolicy(REMEMBERS) });
  const asked: number[] = [];
  for (const window of [1_000, 2_000, 3_000, 3_000]) {
    const at = new Date(clock.now + window).toISOString();
    const reason = { code: 'IMAGE_MANIFEST_UNKNOWN', context: { nextTryAt: at } };
    await expect(want().image).rejects.toMatchObject(reason);
    clock.now += window - 1;
    await expect(want().image).rejects.toMatchObject(reason);
    asked.push(host.count(/^pulling/));
    clock.now += 1;
  }
  expect(asked).toEqual([1, 2, 3, 4]);
});

test('a person who asks has it tried at once, and an image that came is no trouble any more', async () => {
  const parts = await house([UNKNOWN, UNKNOWN, UNKNOWN, READY], { pull: pullPolicy(REMEMBERS) });
  const { want, keeper, host, replies } = parts;
  await expect(want().image).rejects.toThrow('manifest unknown');
  await expect(want(MINI, { urgent: true }).image).rejects.toThrow('manifest unknown');
  keeper.forgetFailures([MINI]);
  await expect(want().image).rejects.toThrow('manifest unknown');
  expect(host.count(/^pulling/)).toBe(3);
  expect(await want(MINI, { urgent: true }).image).toEqual(IMAGE);
  replies.push(UNKNOWN);
  expect(await want().image).toEqual(IMAGE);
});

test('trouble of the host is not remembered, and a clock set back ends what was', async () => {
  const full = failed('no space left on device');
  const { want, host, clock, replies } = await house([full], { pull: pullPolicy(REMEMBERS) });
  for (let i = 0; i < 2; i += 1) {
    await expect(want().image).rejects.toMatchObject({ code: 'HOST_NO_SPACE' });
  }
  replies.splice(0, 1, UNKNOWN);
  await expect(want().image).rejects.toThrow('manifest unknown');
  clock.now -= 1;
  await expect(want().image).rejects.toThrow('manifest unknown');
  expect(host.count(/^pulling/)).toBe(4);
});

test('who waits for the next try is told why and when, who comes later too; what the registry asks for is kept', async () => {
  const busy = failed('toomanyrequests: slow down, Retry-After: 3600');
  const { want, keeper, clock } = await house([busy]);
  const waits: unknown[] = [];
  const onWait = ({ code }: AppError, at: number): void => void waits.push([code, at]);
  const one = want(MINI, { onWait });
  await until(() => waits.length === 1);
  const two = want(MINI, { onWait });
  await until(() => waits.length === 2);
  const at = clock.now + 3_600_000;
  expect(waits).toEqual([
    ['IMAGE_RATE_LIMITED', at],
    ['IMAGE_RATE_LIMITED', at],
  ]);
  expect(keeper.nextTryAt('vm', ['docker://other:1', MINI])).toBe(at);
  one.leave();
  two.leave();
  await until(() => keeper.nextTryAt('vm', [MINI]) === undefined);
});

const NEWER = { newer: { everyMs: 60_000 } };

test('whether a tag moved is asked once for all who want to know, and told as a pull only when it did', async () => {
  const { host, want } = await house(['@ asking', '@ running 7', READY]);
  const all = [want(MINI, NEWER), want(MINI, NEWER)];
  for (const { image } of all) expect(await image).toEqual(IMAGE);
  expect(all.map(({ progress }) => progress)).toEqual([[7 * 1024], [7 * 1024]]);
  const words = host.scripts.slice(-3).map((text) => /^every='(.*?)'/m.exec(text)?.[1]);
  expect(words).toEqual(['60', 'joined', 'joined']);
});

test('an image named by its digest is never asked about', async () => {
  const { host, want } = await house([READY]);
  await want(`docker://mini@${DIGEST}`, NEWER).image;
  expect(host.scripts.at(-1)).toContain("every=''");
});

test('when the registry cannot be asked, what is there is used, at once and with the reason; without an image it is tried again', async () => {
  const { host, want, replies } = await house([failed('connection refused')]);
  host.on(/^looking for image/, () => READY);
  const stale: string[] = [];
  const onStale = ({ code }: AppError): void => void stale.push(code);
  expect(await want(MINI, { ...NEWER, onStale }).image).toEqual(IMAGE);
  expect([stale, host.count(/^pulling/)]).toEqual([['IMAGE_REGISTRY_UNREACHABLE'], 1]);
  host.on(/^looking for image/, () => '@ absent');
  replies.push(READY);
  expect(await want(MINI, { ...NEWER, onStale }).image).toEqual(IMAGE);
  expect(stale).toHaveLength(1);
  const strict = { ...NEWER.newer, strict: true };
  replies.splice(0, 1, failed('manifest unknown'));
  host.on(/^looking for image/, () => READY);
  await expect(want(MINI, { newer: strict }).image).rejects.toThrow('manifest unknown');
});

test('who takes what is there does not wait for the answer of a registry', async () => {
  const { host, want } = await house([]);
  host.on(/^pulling/, ({ script }) => (/^every=''/m.test(script) ? READY : '@ asking'));
  const asks = want(MINI, NEWER);
  await until(() => host.count(/^pulling/) > 1);
  expect(await want().image).toEqual(IMAGE);
  asks.leave();
});
