/**
 * Goal: a task outlives a network that is away: it never fails, the host's state tells the truth in time, and
 * its output has no gap and no repeat.
 * Method: a packet filter on a spare host swallows everything on its SSH port while a task prints a line a second.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { finished, makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { PATIENCE } from '../support/patience.ts';
import { TAKES_ALL } from '../support/share.ts';
import { until } from '../support/until.ts';

const NOTICED_MS = 30_000;
/** Longer than it takes to notice. */
const AWAY_MS = TAKES_ALL ? 60_000 : 35_000;
const LINES = AWAY_MS / 1_000 + 20;

let spare: SpareHost;
let daemon: TestDaemon;

beforeAll(async () => {
  spare = await startSpareHost();
  daemon = makeDaemon({ hosts: { far: { on: spare.name, keys: spare.keys } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await spare[Symbol.asyncDispose]();
});

/** Nothing that comes in or goes out on the port of sshd passes, and nobody is told. */
async function filter(act: '-I' | '-D'): Promise<void> {
  await spare.sh(
    `iptables ${act} INPUT -p tcp --dport 22 -j DROP && iptables ${act} OUTPUT -p tcp --sport 22 -j DROP`,
  );
}

async function linkKind(): Promise<string> {
  return (await daemon.showHost('far')).link.kind;
}

/** How long it took until the link was in that state. */
async function timeUntil(kind: string): Promise<number> {
  const began = performance.now();
  await until(
    async () => (await linkKind()) === kind,
    () => `link ${kind}`,
    2 * NOTICED_MS,
  );
  return performance.now() - began;
}

test('a network that is away for a minute costs a running task nothing', {
  timeout: 400_000 * PATIENCE,
}, async () => {
  const count = `i=0; while [ $i -lt ${LINES} ]; do echo "line $i"; i=$((i + 1)); sleep 1; done`;
  const follower = daemon.spawnCli(['run', spare.image, '--', 'sh', '-c', count]);
  let seen = '';
  follower.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  const ran = finished(follower);
  // a spare host has no image yet: it is pulled first
  await until(
    () => seen.includes('line 3\n'),
    () => `a third line, not only ${JSON.stringify(seen)}`,
    120_000,
  );
  const { stdout } = await daemon.cli('list', '--json');
  const id = (JSON.parse(stdout) as { tasks: { id: string }[] }).tasks[0]?.id ?? '';
  const states = new Set<string>();

  const dropped = performance.now();
  await filter('-I');
  try {
    expect(await timeUntil('unreachable')).toBeLessThan(NOTICED_MS);
    const lastSeen = seen;
    await until(
      async () => {
        const task = await daemon.show(id);
        states.add(task.state);
        return performance.now() - dropped > AWAY_MS;
      },
      () => 'the network is away',
      2 * AWAY_MS,
    );
    expect(seen).toBe(lastSeen);
    const task = await daemon.show(id);
    expect(task.blocked).toMatchObject({ host: 'far', reason: expect.stringMatching(/^SSH_/) });
    // while a try is under way its time has just passed: a connect takes ten seconds at most
    expect(Date.parse(task.blocked?.nextTryAt ?? '')).toBeGreaterThan(Date.now() - 12_000);
  } finally {
    await filter('-D');
  }
  expect(await timeUntil('ready')).toBeLessThan(NOTICED_MS);
  const { code, stdout: output, stderr } = await ran;
  expect([...states]).toEqual(['running']);
  expect(code, stderr).toBe(0);
  expect(output).toBe(Array.from({ length: LINES }, (_, i) => `line ${i}\n`).join(''));
  expect(await daemon.show(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
});
