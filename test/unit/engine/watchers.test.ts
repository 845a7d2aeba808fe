/**
 * Goal: an end is told when the streams are here, trouble is told and taken back, and looks are as few
 * as they can be. Method: a fake host with scripted looks and growing streams, a real spool, pauses that
 * end when the test says so.
 */
import { getEventListeners } from 'node:events';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { AttemptToken } from '../../../src/domain/task.ts';
import type { Seat } from '../../../src/engine/seats.ts';
import type { Seen, WatchRequest } from '../../../src/engine/watched.ts';
import { createWatchers } from '../../../src/engine/watchers.ts';
import { LAUNCH } from '../../support/builders.ts';
import { LOG, seatOf, temporarySpool } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';
import { until } from '../../support/until.ts';

const HOST_LINE = '@ host boot machine vm';
const ROOT = '/home/alice/.towline/tasks/d';
const RECORD = {
  format: 1,
  n: 'aa',
  started: true,
  code: 0,
  direct: false,
  runtimeCode: 0,
  limit: null,
  copier: null,
  copierCode: null,
  out: 0,
  err: 0,
  at: 9,
  log: '',
};

interface Attempt {
  token: AttemptToken;
  stdout: string;
  /** Its directory is not there. */
  isGone?: boolean;
  /** What a look says of it besides its sizes. */
  line: (index: number) => string;
}

const running = (index: number): string => `@ seen ${index} there go\n@ alive ${index} 5`;
const exited = (index: number): string =>
  `@ seen ${index} there go\n@ exit ${index} ${JSON.stringify(RECORD)}`;

const isExit = ({ verdict }: Seen): boolean => verdict.kind === 'exited';

async function house() {
  const host = new FakeHost();
  const spool = await temporarySpool();
  const attempts = new Map<string, Attempt>();
  const pauses: number[] = [];
  const looked: string[][] = [];
  let nowMs = 0;
  let resume = (): void => {};
  let paused = false;
  const watchers = createWatchers({
    spool,
    log: LOG,
    now: () => nowMs,
    // Ends by its signal, or when the test says so.
    pause: (ms, signal) =>
      new Promise<void>((resolve) => {
        pauses.push(ms);
        paused = true;
        resume = () => {
          paused = false;
          resolve();
        };
        if (signal?.aborted) resume();
        signal?.addEventListener('abort', resume, { once: true });
      }),
  });
  const seat = await seatOf(host);
  host.on(/^looking at \d+ running/, ({ script }) => {
    const asked = [...script.matchAll(/^(look|glance) (\d+) '([^']+)'/gm)];
    looked.push(asked.map(([, how, , name = '']) => `${how} ${basename(name)}`));
    const lines = asked.map(([, how, index, name = '']) => {
      const line = attempts.get(basename(name))?.line ?? (() => '');
      return how === 'glance' && line === running ? `@ same ${index}` : line(Number(index));
    });
    const sizes = asked.flatMap(([, , , name = '']) => {
      const { stdout = '', isGone = false } = attempts.get(basename(name)) ?? {};
      if (isGone) return [];
      return [`@ size ${Buffer.byteLength(stdout)} ${name}/stdout`, `@ size 0 ${name}/stderr`];
    });
    return [HOST_LINE, ...lines, ...sizes].join('\n');
  });
  const attempt = (name: string): Attempt => {
    const made: Attempt = { token: name as AttemptToken, stdout: '', line: running };
    attempts.set(name, made);
    return made;
  };
  const print = (to: Attempt, text: string): void => {
    to.stdout += text;
    host.files.set(`${ROOT}/${to.token}/stdout`, Buffer.from(to.stdout));
  };
  const troubles: Record<string, (string | undefined)[]> = {};
  const watch = (of: Attempt, more: Partial<WatchRequest> = {}, on: Seat = seat) => {
    const controller = new AbortController();
    const told = (troubles[of.token] ??= []);
    const request: WatchRequest = {
      token: of.token,
      dir: `${ROOT}/${of.token}`,
      launch: LAUNCH,
      signal: controller.signal,
      trouble: async (error) => {
        if (told.at(-1) !== error?.code) told.push(error?.code);
      },
      ...more,
    };
    const seen = watchers.watch(on, request, isExit);
    seen.catch(() => {});
    return { seen, controller, request };
  };
  const looks = (): number => host.count(/^looking at \d+ running/);
  /** One more look, and what comes of it. */
  const look = async (): Promise<void> => {
    const before = looks();
    await until(() => {
      if (paused && looks() === before) resume();
      return looks() > before;
    });
  };
  const text = async (of: Attempt): Promise<string> => {
    const chunks: Buffer[] = [];
    const stream = spool.attempt(of.token).follow('stdout', { offset: 0, follow: false });
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const said = { looks, looked, pauses, troubles, text, isPaused: () => paused };
  return {
    ...said,
    host,
    seat,
    spool,
    watchers,
    attempt,
    print,
    watch,
    look,
    resume: () => resume(),
    turn: (ms: number) => void (nowMs += ms),
  };
}

/** The last look is over, and what it brought was acted on. */
const asleep = ({ isPaused }: { isPaused: () => boolean }) => until(isPaused);

test('all attempts of a host are asked for in one look', async () => {
  const on = await house();
  const all = ['a.1', 'b.1', 'c.1'].map((name) => on.watch(on.attempt(name)));
  await asleep(on);
  await on.look();
  expect(on.host.calls.filter((call) => call.endsWith('attempts'))).toEqual([
    'looking at 1 running attempts',
    'looking at 3 running attempts',
  ]);
  for (const { controller } of all) controller.abort();
});

test('what runs is glanced at, and looked at as a whole now and then, or when a glance shows a change', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  const { seen } = on.watch(a);
  await asleep(on);
  on.print(a, 'more\n');
  await on.look();
  await until(async () => (await on.text(a)) === 'more\n');
  await asleep(on);
  on.turn(29_000);
  await on.look();
  await asleep(on);
  on.turn(1_000);
  for (let look = 0; look < 3; look += 1) {
    await on.look();
    await asleep(on);
  }
  a.line = exited;
  await on.look();
  expect((await seen).verdict.kind).toBe('exited');
  const hows = on.looked.map(([one = '']) => one.split(' ')[0]);
  expect(hows).toEqual(['look', 'glance', 'glance', 'glance', 'look', 'glance', 'glance']);
});

test.each(['its streams are not there', 'the look before saw nothing'])(
  'a whole look follows when %s',
  async (why) => {
    const on = await house();
    const a = on.attempt('a.1');
    const { controller } = on.watch(a);
    await asleep(on);
    await on.look();
    await asleep(on);
    a.isGone = why.startsWith('its');
    const { run } = on.host;
    if (!a.isGone)
      on.host.run = async () => {
        on.host.run = run;
        throw new AppError('SSH_CONNECTION_LOST', 'cut');
      };
    on.resume();
    await until(() => on.host.run === run && on.isPaused());
    a.isGone = false;
    await on.look();
    await asleep(on);
    expect(on.looked.at(-1)).toEqual(['look a.1']);
    controller.abort();
  },
);

test('of thousands five hundred at a time are looked at as a whole, in turn, also where nothing can be seen', async () => {
  const on = await house();
  const all = Array.from({ length: 1_100 }, (_, index) => on.attempt(`a${index}.1`));
  // those come first, and stay as they are
  for (const one of all.slice(0, 600)) one.line = (index) => `@ unseen ${index}`;
  const stop = new AbortController();
  for (const one of all) on.watch(one, { signal: stop.signal });
  const seen = new Set<string>();
  const wholes = (look: readonly string[] = []) => look.filter((one) => one.startsWith('look'));
  await until(() => {
    on.resume();
    for (const one of on.looked.flatMap(wholes)) seen.add(one);
    return seen.size === 1_100;
  });
  expect(Math.max(...on.looked.map((look) => wholes(look).length))).toBe(500);
  const count = on.pauses.length;
  await until(() => {
    on.resume();
    return on.pauses.length > count + 30;
  });
  expect(on.pauses.at(-1)).toBeGreaterThan(1_000);
  stop.abort();
});

test('the end is told only when the streams are here as far as they were seen', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  on.print(a, 'first\n');
  const { seen } = on.watch(a);
  await asleep(on);
  const original = on.host.readRange.bind(on.host);
  const gate = Promise.withResolvers<void>();
  on.host.readRange = async (...range) => {
    await gate.promise;
    return original(...range);
  };
  on.print(a, 'last\n');
  a.line = exited;
  let over = false;
  void seen.then(() => (over = true));
  await on.look();
  await asleep(on);
  expect(over).toBe(false);
  gate.resolve();
  expect((await seen).verdict).toMatchObject({ kind: 'exited', exit: { code: 0 } });
  expect(await on.text(a)).toBe('first\nlast\n');
});

test('others are looked at while the streams of an ended attempt are still fetched', async () => {
  const on = await house();
  const [big, small] = [on.attempt('big.1'), on.attempt('small.1')];
  const original = on.host.readRange.bind(on.host);
  const gate = Promise.withResolvers<void>();
  on.host.readRange = async (...range) => {
    if (range[0].includes('big')) await gate.promise;
    return original(...range);
  };
  on.print(big, 'much');
  big.line = exited;
  const [one, two] = [on.watch(big), on.watch(small)];
  await asleep(on);
  small.line = exited;
  await on.look();
  await two.seen;
  gate.resolve();
  await one.seen;
});

test('a stream that is shorter than the record says ends all the same; what there is stays', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  a.line = (index) =>
    `@ seen ${index} there go\n@ exit ${index} ${JSON.stringify({ ...RECORD, out: 100 })}`;
  on.print(a, 'short');
  expect((await on.watch(a).seen).verdict).toMatchObject({ exit: { stdoutBytes: 100 } });
  expect(await on.text(a)).toBe('short');
});

test('trouble with the host is told to all once, is no end, and is taken back', async () => {
  const on = await house();
  const [a, b] = [on.attempt('a.1'), on.attempt('b.1')];
  const all = [on.watch(a), on.watch(b)];
  await asleep(on);
  const fine = on.host;
  let broken = true;
  fine.on(/^looking at \d+ running/, () => {
    if (broken) throw new AppError('SSH_CONNECTION_LOST', 'the link broke');
    return [HOST_LINE, exited(0), exited(1)].join('\n');
  });
  await on.look();
  await asleep(on);
  await on.look();
  await asleep(on);
  expect(on.troubles).toEqual({
    'a.1': ['SSH_CONNECTION_LOST'],
    'b.1': ['SSH_CONNECTION_LOST'],
  });
  expect(on.pauses.slice(-2)).toEqual([1_000, 1_000]);
  broken = false;
  await on.look();
  await Promise.all(all.map(({ seen }) => seen));
  expect(on.troubles['a.1']).toEqual(['SSH_CONNECTION_LOST', undefined]);
});

test('a host that is away is looked at when its link is tried again, and at once when it is back', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  const { seen } = on.watch(a);
  await asleep(on);
  on.host.on(/^looking at \d+ running/, () => {
    throw new AppError('SSH_HOST_UNREACHABLE', 'away');
  });
  const why = { since: 0, code: 'SSH_HOST_UNREACHABLE', message: 'away' };
  on.host.setLink({ kind: 'unreachable', ...why, nextTryAt: Date.now() + 20_000 });
  await on.look();
  await asleep(on);
  expect(on.pauses.at(-1)).toBeGreaterThan(15_000);
  expect(on.pauses.at(-1)).toBeLessThanOrEqual(20_000);
  const before = on.looks();
  on.host.on(/^looking at \d+ running/, () => [HOST_LINE, exited(0)].join('\n'));
  on.host.setLink({ kind: 'ready', since: 0 });
  await until(() => on.looks() > before);
  expect((await seen).verdict.kind).toBe('exited');
});

test('while a host is away an attempt that comes is told why, and has no look of its own', async () => {
  const on = await house();
  on.host.on(/^looking at \d+ running/, () => {
    throw new AppError('SSH_HOST_UNREACHABLE', 'away');
  });
  const all = [on.watch(on.attempt('a.1'))];
  await asleep(on);
  const before = on.looks();
  for (let i = 0; i < 20; i += 1) {
    all.push(on.watch(on.attempt(`b.${i}`)));
    await asleep(on);
  }
  expect(Object.values(on.troubles)).toEqual(all.map(() => ['SSH_HOST_UNREACHABLE']));
  expect(on.looks()).toBe(before);
  for (const { controller } of all) controller.abort();
});

test('what was told of an attempt is not told again by each look', async () => {
  const on = await house();
  const told: (string | undefined)[] = [];
  const { controller } = on.watch(on.attempt('a.1'), {
    trouble: async (error) => void told.push(error?.code),
  });
  await asleep(on);
  for (let i = 0; i < 3; i += 1) await on.look();
  await asleep(on);
  on.host.on(/^looking at \d+ running/, () => {
    throw new AppError('SSH_HOST_UNREACHABLE', 'away');
  });
  for (let i = 0; i < 3; i += 1) await on.look();
  await asleep(on);
  expect(told).toEqual([undefined, 'SSH_HOST_UNREACHABLE']);
  controller.abort();
});

test('trouble that could not be noted is told again by the next look', async () => {
  const on = await house();
  let tries = 0;
  const { controller } = on.watch(on.attempt('a.1'), {
    trouble: async () => {
      tries += 1;
      if (tries === 1) throw new AppError('STORE_FULL', 'no room');
    },
  });
  await asleep(on);
  await until(async () => {
    await on.look();
    return tries > 1;
  });
  controller.abort();
});

test('a stream that cannot be read is told while it lasts, without hurry, also after the end', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  on.host.fault = new AppError('SFTP_DENIED', 'no');
  on.print(a, 'bytes');
  const { seen } = on.watch(a);
  await asleep(on);
  await until(() => on.host.count(/^read/) > 0);
  await on.look();
  await asleep(on);
  expect(on.troubles['a.1']).toEqual(['SFTP_DENIED']);
  a.line = exited;
  for (let i = 0; i < 3; i += 1) {
    await on.look();
    await asleep(on);
  }
  expect(on.troubles['a.1']).toEqual(['SFTP_DENIED']);
  expect(on.pauses.at(-1)).toBeGreaterThan(on.pauses[0] ?? 0);
  on.host.fault = undefined;
  let ended = false;
  void seen.then(() => (ended = true));
  // no further look is counted on: the reading that follows the last one may have been the one that works
  await until(() => {
    if (on.isPaused()) on.resume();
    return ended;
  });
  expect(await on.text(a)).toBe('bytes');
});

test('what is wrong with one attempt here is told of that one alone; the others go on', async () => {
  const on = await house();
  const [bad, good] = [on.attempt('bad.1'), on.attempt('good.1')];
  const original = on.spool.attempt;
  on.spool.attempt = (token) => {
    const spool = original(token);
    const corrupt = (): never => {
      throw new AppError('STORE_CORRUPT', 'the file cannot be read');
    };
    return token === bad.token ? { ...spool, length: async () => corrupt() } : spool;
  };
  const one = on.watch(bad);
  const two = on.watch(good);
  good.line = exited;
  await asleep(on);
  await on.look();
  await two.seen;
  expect(on.troubles['bad.1']).toEqual(['STORE_CORRUPT']);
  expect(on.troubles['good.1']?.filter((code) => code !== undefined)).toEqual([]);
  one.controller.abort();
});

test('a full disk here ends the watch of an ended attempt with its name, to be begun again', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  on.print(a, 'bytes');
  a.line = exited;
  const original = on.spool.attempt;
  on.spool.attempt = (token) => ({
    ...original(token),
    append: () => Promise.reject(new AppError('STORE_FULL', 'no space')),
  });
  await expect(on.watch(a).seen).rejects.toMatchObject({ code: 'STORE_FULL' });
});

test('looks are fast after a start and slow when all is quiet', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  const { controller } = on.watch(a);
  for (let i = 0; i < 22; i += 1) {
    await asleep(on);
    await on.look();
  }
  await asleep(on);
  expect(on.pauses[0]).toBeLessThan(60);
  expect(on.pauses.every((ms, i) => i === 0 || ms >= (on.pauses[i - 1] ?? 0))).toBe(true);
  expect(on.pauses.at(-1)).toBe(2_000);
  on.print(a, 'news');
  await on.look();
  await asleep(on);
  expect(on.pauses.at(-1)).toBeLessThan(60);
  controller.abort();
});

test('the more hosts have running tasks, the rarer are looks at those that are quiet', async () => {
  const on = await house();
  const stop = new AbortController();
  for (let n = 0; n < 299; n += 1) {
    const other = new FakeHost(`h${n}`);
    other.on(/^looking at/, () => `${HOST_LINE}\n${running(0)}`);
    on.watch(on.attempt(`h${n}.1`), { signal: stop.signal }, await seatOf(other));
  }
  await until(() => on.pauses.length === 299);
  on.watch(on.attempt('a.1'), { signal: stop.signal });
  for (let i = 0; i < 30; i += 1) {
    await asleep(on);
    await on.look();
  }
  await asleep(on);
  expect(on.pauses.at(-1)).toBe(3_000);
  stop.abort();
});

test('somebody who follows has looks hurried, until nobody does any more', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  const { controller } = on.watch(a);
  const quiet = async (): Promise<number | undefined> => {
    for (let i = 0; i < 22; i += 1) {
      await asleep(on);
      await on.look();
    }
    await asleep(on);
    return on.pauses.at(-1);
  };
  expect(await quiet()).toBe(2_000);
  const before = on.looks();
  const [one, two] = [on.watchers.interest(a.token), on.watchers.interest(a.token)];
  await until(() => on.looks() > before);
  expect(await quiet()).toBe(250);
  one();
  expect(await quiet()).toBe(250);
  two();
  expect(await quiet()).toBe(2_000);
  controller.abort();
});

test('a new attempt does not wait for the pause of the others', async () => {
  const on = await house();
  const first = on.watch(on.attempt('a.1'));
  await asleep(on);
  const b = on.attempt('b.1');
  b.line = exited;
  await on.watch(b).seen;
  first.controller.abort();
});

test('a watch that is aborted rejects with the reason, and an idle loop looks no more', async () => {
  const on = await house();
  const { seen, controller } = on.watch(on.attempt('a.1'));
  await asleep(on);
  const looks = on.looks();
  controller.abort(new Error('no longer wanted'));
  await expect(seen).rejects.toThrow('no longer wanted');
  await new Promise((resolve) => setImmediate(resolve));
  expect(on.looks()).toBe(looks);
  const aborted = AbortSignal.abort(new Error('never wanted'));
  await expect(on.watch(on.attempt('b.1'), { signal: aborted }).seen).rejects.toThrow('never');
});

test('a host that was closed lets its watches go, so that they are begun again on the new one', async () => {
  const on = await house();
  const { seen } = on.watch(on.attempt('a.1'));
  await asleep(on);
  await on.host.close();
  on.resume();
  await expect(seen).rejects.toMatchObject({ code: 'HOST_CALL_ABORTED' });
});

test('five hundred watches by one signal leave no listener behind', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  a.line = exited;
  const { signal } = new AbortController();
  for (let i = 0; i < 500; i += 1) await on.watch(a, { signal }).seen;
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('a machine of another name or boot is told from an attempt that died', async () => {
  const on = await house();
  const a = on.attempt('a.1');
  a.line = (index) => `@ seen ${index} there go`;
  const kinds: string[] = [];
  const request = on.watch(a);
  const all = on.watchers.watch(on.seat, request.request, ({ verdict }) => {
    kinds.push(verdict.kind === 'dead-suspect' ? `dead ${verdict.sightings}` : verdict.kind);
    return kinds.length === 5;
  });
  let lines = [HOST_LINE];
  on.host.on(/^looking at \d+ running/, ({ script }) =>
    [...lines, ...[...script.matchAll(/^look (\d+)/gm)].map(([, i]) => a.line(Number(i)))].join(
      '\n',
    ),
  );
  const next = async (line: string): Promise<void> => {
    lines = [line];
    await on.look();
    await asleep(on);
  };
  await asleep(on);
  kinds.length = 0;
  await next(HOST_LINE);
  await next('@ host boot other vm');
  await next(HOST_LINE);
  await next(HOST_LINE);
  await next('@ host reboot machine vm').catch(() => {});
  await all;
  expect(kinds).toEqual([
    expect.stringMatching(/^dead/),
    'unknown',
    'dead 1',
    'dead 2',
    'rebooted',
  ]);
  request.controller.abort();
});

test('what has just begun is not looked at before the shortest one seen so far would have ended', async () => {
  const on = await house();
  const first = on.attempt('first.1');
  const seen = on.watch(first, { isFresh: true });
  await asleep(on);
  expect(on.looks()).toBe(1);
  on.turn(100);
  first.line = exited;
  await on.look();
  await seen.seen;
  // the loop ends in this turn, now that nothing is watched; what came within it would get its next look
  await new Promise((resolve) => setImmediate(resolve));
  const looks = on.looks();
  const { controller } = on.watch(on.attempt('second.1'), { isFresh: true });
  await until(() => on.pauses.at(-1) === 95);
  expect(on.looks()).toBe(looks);
  await on.look();
  // one that was found, not begun, is looked at at once
  await asleep(on);
  const found = on.watch(on.attempt('third.1'));
  await until(() => on.looks() === looks + 2);
  controller.abort();
  found.controller.abort();
});
