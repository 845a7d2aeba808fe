/**
 * Goal: a daemon that did not run for minutes wakes up quietly: what ended meanwhile is collected, links that died are
 * noticed, one that did not is kept, what it had half sent harms nothing, and no timer makes up for what it missed.
 * Method: SIGSTOP and SIGCONT in the middle of uploads and launches on three hosts; one link lives, one is reset, one is
 * swallowed. Longer than any deadline or pause of a link; TOWLINE_TEST_FROZEN_MINUTES=10 TOWLINE_TEST_TIME_FACTOR=4 freezes
 * it for ten minutes of its time, see fast-time.ts.
 */

import { expect, test } from 'vitest';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { PORTS } from '../support/bed.ts';
import { stored } from '../support/crash-task.ts';
import type { TestDaemon } from '../support/daemon.ts';
import { hurryChildren } from '../support/faults/fast-process.ts';
import { daemonThrough } from '../support/faults/own-way.ts';
import { submitWhole, type WholeTask } from '../support/faults/whole-task.ts';
import { metrics } from '../support/metrics.ts';
import { PATIENCE } from '../support/patience.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const FACTOR = Number(process.env['TOWLINE_TEST_TIME_FACTOR'] ?? 1);
const FROZEN_MINUTES = Number(process.env['TOWLINE_TEST_FROZEN_MINUTES'] ?? 0.27);
const FROZEN_REAL_MS = (FROZEN_MINUTES * 60_000) / FACTOR;
const NAMES = ['living', 'reset', 'swallowed'] as const;
/** Of the daemon's time after it woke up: what was due in one go comes in the first moments. */
const WATCHED_MS = 8_000;
const POLLS_PER_SECOND = 10;
/** A launch, an image, a collection and a cleaning, each perhaps twice, with what a new link asks first. */
const COMMANDS_PER_TASK = 12;

const count = (numbers: Record<string, number>, name: string, host: string): number =>
  Object.entries(numbers).reduce(
    (sum, [key, value]) =>
      key.startsWith(`${name}{`) && key.includes(`host="${host}"`) ? sum + value : sum,
    0,
  );

async function submitEach(daemon: TestDaemon): Promise<WholeTask[]> {
  const long = Math.ceil(FROZEN_REAL_MS / 1_000) + 12;
  const tasks: WholeTask[] = [];
  // one of each host ends while the daemon is frozen
  for (const lines of [long, 8])
    for (const host of NAMES) tasks.push(await submitWhole(daemon, { host, lines, pause: 1 }));
  const started = ({ id }: WholeTask): boolean => stored(daemon, id)?.launch !== undefined;
  await until(() => tasks.every(started));
  // and some on their way, with files
  for (const host of NAMES) tasks.push(await submitWhole(daemon, { host, inputBytes: 3_000_000 }));
  return tasks;
}

test('row 4: a frozen daemon wakes up without a storm; dead links are noticed and late writes harm nothing', {
  timeout: (180_000 + 2 * FROZEN_REAL_MS) * PATIENCE,
}, async () => {
  hurryChildren(FACTOR);
  await using ways = new AsyncDisposableStack();
  const proxies = new Map<string, TcpProxy>();
  for (const name of NAMES) {
    const proxy = await startTcpProxy(PORTS.vm2);
    ways.defer(() => proxy.stop());
    proxies.set(name, proxy);
  }
  const ports = Object.fromEntries([...proxies].map(([name, { port }]) => [name, port]));
  const daemon = ways.use(daemonThrough(ports));
  await daemon.start();
  const tasks = await submitEach(daemon);

  const before = await metrics(daemon);
  process.kill(daemon.pid(), 'SIGSTOP');
  proxies.get('reset')?.cut();
  proxies.get('swallowed')?.blackHole();
  // nothing to wait for: what is tested is that time passes
  await new Promise((resolve) => setTimeout(resolve, FROZEN_REAL_MS));
  proxies.get('swallowed')?.heal();
  process.kill(daemon.pid(), 'SIGCONT');
  const woke = performance.now();
  await until(() => (performance.now() - woke) * FACTOR >= WATCHED_MS);
  const after = await metrics(daemon);
  const seconds = ((performance.now() - woke) * FACTOR) / 1_000;
  const more = (name: string, host: string): number =>
    count(after, name, host) - count(before, name, host);
  for (const host of NAMES) {
    const commands = more('towline_host_shell_commands_total', host);
    const most = POLLS_PER_SECOND * seconds + (COMMANDS_PER_TASK * tasks.length) / NAMES.length;
    expect(commands, `commands on ${host}`).toBeLessThanOrEqual(most);
    const logins = more('towline_host_logins_total', host);
    expect(logins, `logins on ${host}`).toBeLessThanOrEqual(HOST_TUNING.loginBurst);
  }
  await Promise.all(tasks.map((task) => task.expectWhole()));
  const lost = daemon.log().matchAll(/"host":"(\w+)","kind":"(?:connecting|unreachable)"/g);
  const hosts = [...lost].map(([, host]) => host);
  // the first contact of each; a link that lives is not given up because nobody looked for so long
  expect(hosts.filter((host) => host === 'living')).toHaveLength(1);
  for (const host of ['reset', 'swallowed'])
    expect(hosts.filter((one) => one === host).length).toBeGreaterThan(1);
});
