/**
 * Goal: attempts that wait for their jobs cost next to nothing, however many they are, and the start of one is seen all
 * the same. Method: watchers over a fake host that counts what it is sent, with a clock that the test turns.
 */
import { expect, test } from 'vitest';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { createTicketTurns } from '../../../src/engine/ticket-turns.ts';
import { createWatchers } from '../../../src/engine/watchers.ts';
import { statusText } from '../../../src/script/status.ts';
import { LAUNCH } from '../../support/builders.ts';
import { LOG, seatOf, temporarySpool } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';
import { until } from '../../support/until.ts';

const ROOT = '/home/alice/.towline/tasks/3f0c9a52-7be4-4f0f-9a51-0d9f8f3a1c77';
const MINUTE_MS = 60_000;

async function house() {
  const host = new FakeHost('hpc');
  const seat = await seatOf(host);
  const taken = new Set<string>();
  /** When an attempt was asked for in full. */
  const fullAt = new Map<string, number>();
  let nowMs = 0;
  const watchers = createWatchers({
    spool: await temporarySpool(),
    log: LOG,
    now: () => nowMs,
    pause: async (ms) => {
      nowMs += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  host.on(/^looking at/, ({ script }) => {
    const asked = [...script.matchAll(/^tickets \S+ (.*)$/gm)].flatMap(([, words = '']) =>
      words.split(' '),
    );
    const full = [...script.matchAll(/^look (\d+) '([^']+)'/gm)];
    for (const [, , dir = ''] of full) fullAt.set(dir.slice(ROOT.length + 1), nowMs);
    return [
      ...asked.filter((token) => taken.has(token)).map((token) => `@ taken ${token}`),
      '@ host boot machine hpc',
      ...full.map(([, index = '']) => `@ seen ${index} there`),
    ].join('\n');
  });
  const leave = new AbortController();
  const watch = (count: number, isQueued: () => boolean) =>
    Array.from({ length: count }, (_, index) => {
      const token = `a4dkq2m7x${String(index).padStart(3, '0')}.1` as AttemptToken;
      const request = {
        ...{ token, dir: `${ROOT}/${token}`, isQueued, signal: leave.signal },
        trouble: async () => {},
      };
      const seen = watchers.watch(seat, request, ({ verdict }) => verdict.kind === 'started');
      seen.catch(() => {});
      return token;
    });
  const watchRunning = (): void => {
    const request = {
      ...{ token: 'b.1' as AttemptToken, dir: `${ROOT}/b.1`, launch: LAUNCH },
      ...{ signal: leave.signal, trouble: async () => {} },
    };
    watchers.watch(seat, request, () => false).catch(() => {});
  };
  /** How long it takes until its start is seen. */
  const start = async (token = ''): Promise<number> => {
    const from = nowMs;
    taken.add(token);
    await until(() => fullAt.has(token));
    return (fullAt.get(token) ?? Number.NaN) - from;
  };
  /** What a minute costs, by round trips and bytes. */
  const minute = async () => {
    const from = { at: nowMs, looks: host.scripts.length };
    await until(() => nowMs - from.at >= MINUTE_MS);
    const scripts = host.scripts.slice(from.looks);
    const bytes = scripts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const minutes = (nowMs - from.at) / MINUTE_MS;
    return { looks: scripts.length / minutes, bytes: bytes / minutes };
  };
  return { host, watch, watchRunning, start, minute, leave: () => leave.abort(new Error('over')) };
}

test('a minute of six hundred attempts in the queue costs thirty looks and one word for each question', async () => {
  const on = await house();
  on.watch(600, () => true);
  await on.minute();
  const { looks, bytes } = await on.minute();
  on.leave();
  expect(looks).toBeLessThanOrEqual(31);
  // 25 a second of 16 bytes, and the text around each look
  expect(bytes).toBeLessThan(40_000);
  const all = Array.from({ length: 600 }, () => ({ dir: `${ROOT}/a4dkq2m7x000.1`, pid: 0 }));
  const before = Buffer.byteLength(statusText(all.map((one) => ({ ...one, nonce: '-' }))));
  expect(bytes).toBeLessThan((looks * before) / 100);
});

test('one that starts is seen within half a minute though six hundred wait, and asked for in full only then', async () => {
  const on = await house();
  const all = on.watch(600, () => true);
  await on.minute();
  expect(await on.start(all.at(-1))).toBeLessThan(27_000);
  on.leave();
  expect(on.host.scripts.filter((text) => text.includes('\nlook 1'))).toEqual([]);
});

test('one that waits alone, or whose job runs, is seen as soon as any other', async () => {
  const on = await house();
  const [alone] = on.watch(1, () => true);
  await on.minute();
  expect(await on.start(alone)).toBeLessThan(2_100);
  on.watch(300, () => true);
  const last = on.watch(400, () => false).at(-1);
  await on.minute();
  expect(await on.start(last)).toBeLessThan(4_100);
  on.leave();
});

test('what has started is looked at in the same round trip', async () => {
  const on = await house();
  on.watch(2, () => false);
  on.watchRunning();
  const call = 'looking at 1 running attempts and 2 tickets';
  await until(() => on.host.calls.includes(call));
  on.leave();
});

test('turns: all at first, then as many as the time is worth, one after the other and round again', () => {
  let nowMs = 0;
  const turns = createTicketTurns<{ name: number; isQueued: () => boolean }>(() => nowMs);
  const waiting = Array.from({ length: 5 }, (_, name) => ({ name, isQueued: () => true }));
  const names = (): number[] => turns.pick(waiting).map(({ name }) => name);
  expect(names()).toEqual([0, 1, 2, 3, 4]);
  nowMs += 39;
  expect(names()).toEqual([]);
  nowMs += 41;
  expect(names()).toEqual([0, 1]);
  nowMs += 120;
  expect(names()).toEqual([2, 3, 4]);
  nowMs += 40;
  expect(names()).toEqual([0]);
});
