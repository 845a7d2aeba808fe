/**
 * Goal: a task outlives a network that is away for minutes: it never fails, the host's state tells the
 * truth in time, and its output has no gap and no repeat.
 * Method: a packet filter on the host swallows everything on its SSH port for 150 s while a task prints
 * a line a second. The last of these files: meanwhile nobody else can reach the host.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI, testbed } from '../support/bed.ts';
import { finished, makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const AWAY_MS = 150_000;
const NOTICED_MS = 30_000;
const LINES = 170;

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(async () => {
  await testbed('net', 'heal');
  await daemon[Symbol.asyncDispose]();
});

async function linkKind(): Promise<string> {
  const ran = await daemon.cli('host', 'show', 'vm', '--no-probe', '--json');
  return (JSON.parse(ran.stdout) as { link: { kind: string } }).link.kind;
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

test('a network that is away for 150 seconds costs a running task nothing', {
  timeout: 400_000,
}, async () => {
  const count = `i=0; while [ $i -lt ${LINES} ]; do echo "line $i"; i=$((i + 1)); sleep 1; done`;
  const follower = daemon.spawnCli(['run', MINI, '--', 'sh', '-c', count]);
  let seen = '';
  follower.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  const ran = finished(follower);
  await until(() => seen.includes('line 3\n'));
  const { stdout } = await daemon.cli('list', '--json');
  const id = (JSON.parse(stdout) as { tasks: { id: string }[] }).tasks[0]?.id ?? '';
  const states = new Set<string>();

  const dropped = performance.now();
  await testbed('net', 'drop');
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
    expect(task.blocked).toMatchObject({ host: 'vm', reason: expect.stringMatching(/^SSH_/) });
    // while a try is under way its time has just passed: a connect takes ten seconds at most
    expect(Date.parse(task.blocked?.nextTryAt ?? '')).toBeGreaterThan(Date.now() - 12_000);
  } finally {
    await testbed('net', 'heal');
  }
  expect(await timeUntil('ready')).toBeLessThan(NOTICED_MS);
  const { code, stdout: output, stderr } = await ran;
  expect([...states]).toEqual(['running']);
  expect(code, stderr).toBe(0);
  expect(output).toBe(Array.from({ length: LINES }, (_, i) => `line ${i}\n`).join(''));
  expect(await daemon.show(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
});
