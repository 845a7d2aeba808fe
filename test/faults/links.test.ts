/**
 * Goal: whatever a connection does to the bytes on it (reset after any of them, all swallowed, one direction lost, far
 * and slow), a task is started once, no byte of it is lost or repeated, and the daemon stays small.
 * Method: proxies of the test's own between the daemon and vm2; see whole-task.ts for the oracle.
 * TOWLINE_TEST_RESETS=N resets at N bytes in each direction instead of a few.
 */

import { expect, test } from 'vitest';
import { PORTS } from '../support/bed.ts';
import { stored } from '../support/crash-task.ts';
import { finished, type TestDaemon } from '../support/daemon.ts';
import { daemonThrough, MANY_LOGINS } from '../support/faults/own-way.ts';
import { startSlowLink } from '../support/faults/slow-link.ts';
import { submitWhole } from '../support/faults/whole-task.ts';
import { metrics } from '../support/metrics.ts';
import { PATIENCE } from '../support/patience.ts';
import { shareOf } from '../support/share.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const RESETS = Number(process.env['TOWLINE_TEST_RESETS'] ?? 0);
/** The first ones are in the login, the last ones in the upload of the input or the reading of the output. */
const AFTER_BYTES = shareOf([1, 600, 2_500, 5_000, 12_000, 30_000], 3);
const LAST_BYTE = 60_000;
/** FAULTS: a silent link is noticed within a minute. */
const NOTICED_MS = 60_000;

async function linkOf(daemon: TestDaemon): Promise<{ kind: string; nextTryAt?: string }> {
  return (await daemon.showHost('vm')).link;
}

async function throughProxy(): Promise<{ daemon: TestDaemon; proxy: TcpProxy } & AsyncDisposable> {
  const proxy = await startTcpProxy(PORTS.vm2);
  const daemon = daemonThrough({ vm: proxy.port }, MANY_LOGINS);
  await daemon.start();
  const dispose = async (): Promise<void> => {
    await daemon[Symbol.asyncDispose]();
    await proxy.stop();
  };
  return { daemon, proxy, [Symbol.asyncDispose]: dispose };
}

const spread = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(((i + 0.5) * LAST_BYTE) / count));

test.concurrent.for(['requests', 'replies'] as const)(
  'row 5: a reset after byte k of the %s, wherever k is',
  { timeout: (180_000 + RESETS * 10_000) * PATIENCE },
  async (direction) => {
    await using ways = new AsyncDisposableStack();
    const proxies: Record<string, TcpProxy> = {};
    for (const [index] of AFTER_BYTES.entries()) {
      const proxy = await startTcpProxy(PORTS.vm2);
      ways.defer(() => proxy.stop());
      proxies[`vm${index}`] = proxy;
    }
    const ports = Object.entries(proxies).map(([name, { port }]) => [name, port] as const);
    const daemon = ways.use(daemonThrough(Object.fromEntries(ports), MANY_LOGINS));
    await daemon.start();
    const left = RESETS === 0 ? [...AFTER_BYTES] : spread(RESETS);
    const worker = async ([host, proxy]: [string, TcpProxy]): Promise<void> => {
      for (let bytes = left.shift(); bytes !== undefined; bytes = left.shift()) {
        // on new connections, or the first bytes were those of a login long ago
        proxy.cut();
        const resets = proxy.resets();
        proxy.resetAfter(bytes, direction);
        const sizes = { inputBytes: 48_000, outputBytes: 48_000 };
        const task = await submitWhole(daemon, { host, ...sizes });
        await task.expectWhole();
        expect(proxy.resets(), `after ${bytes} bytes`).toBe(resets + 1);
      }
    };
    await Promise.all(Object.entries(proxies).map(worker));
  },
);

test.concurrent('row 6: a black hole is noticed in time; what runs runs on, and goes on without a gap', async () => {
  await using way = await throughProxy();
  const { daemon, proxy } = way;
  const longer = await submitWhole(daemon, { lines: 16, pause: 1 });
  const short = await submitWhole(daemon, { lines: 4, pause: 1 });
  const follower = daemon.spawnCli(['logs', '--follow', '--stdout', longer.id]);
  const followed = finished(follower);
  await until(() => stored(daemon, longer.id)?.kind === 'running');
  await until(() => stored(daemon, short.id)?.kind === 'running');
  const began = performance.now();
  proxy.blackHole();
  const waiting = await submitWhole(daemon);
  await until(async () => (await linkOf(daemon)).kind === 'unreachable', undefined, NOTICED_MS);
  expect(performance.now() - began).toBeLessThan(NOTICED_MS);
  await until(() => stored(daemon, longer.id)?.blocked !== undefined);
  for (const { id } of [longer, short, waiting]) {
    const { state, blocked } = await daemon.show(id);
    expect({ state, blocked }).toMatchObject({
      state: id === waiting.id ? 'staging' : 'running',
      blocked: { host: 'vm', reason: expect.stringMatching(/^SSH_/) },
    });
  }
  const page = (await daemon.cli('show', waiting.id)).stdout;
  expect(page).toMatch(/SSH_\w+/);
  expect(page).toMatch(/next try/i);
  proxy.heal();
  await Promise.all([longer, short, waiting].map((task) => task.expectWhole()));
  expect((await followed).stdout).toBe((await daemon.cli('logs', '--stdout', longer.id)).stdout);
});

test.concurrent.for(shareOf(['launching', 'collecting'], 1))(
  'row 7: replies are lost while a task is %s; files decide, and it is started once',
  async (state) => {
    await using way = await throughProxy();
    const { daemon, proxy } = way;
    const task = await submitWhole(daemon, { outputBytes: 2_000_000 });
    await until(() => stored(daemon, task.id)?.kind === state);
    proxy.lose('replies');
    // what was asked for is done there, and nobody hears of it
    await until(async () => (await linkOf(daemon)).kind === 'unreachable', undefined, NOTICED_MS);
    expect(await daemon.show(task.id)).toMatchObject({ state, ended: false });
    proxy.heal();
    await task.expectWhole();
  },
);

test.concurrent('row 8: far away, with jitter and stalls as packet loss makes them', async () => {
  const far = { delayMs: 250, jitterMs: 100, stalls: 0.05, stallMs: 300 };
  await using link = await startSlowLink(PORTS.vm2, far);
  await using daemon = daemonThrough({ vm: link.port });
  await daemon.start();
  const tasks = [await submitWhole(daemon), await submitWhole(daemon, { outputBytes: 20_000 })];
  await Promise.all(tasks.map((task) => task.expectWhole()));
});

test.concurrent('row 8: 8 kB a second: slow, correct, and the daemon stays small', async () => {
  await using link = await startSlowLink(PORTS.vm2, { bytesPerSecond: 8_000 });
  await using daemon = daemonThrough({ vm: link.port });
  await daemon.start();
  const resident = async (): Promise<number> =>
    (await metrics(daemon))['process_resident_memory_bytes'] ?? Number.NaN;
  const before = await resident();
  const task = await submitWhole(daemon, { inputBytes: 10_000, outputBytes: 30_000 });
  await task.expectWhole();
  expect((await resident()) - before).toBeLessThan(64 << 20);
  // slow is not silent: no link was given up
  expect(daemon.log()).not.toContain('unreachable');
});
