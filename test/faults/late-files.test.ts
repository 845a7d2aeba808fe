/**
 * Goal: what a network file system shows after the exit record is awaited, then it is missing by name.
 * Method: a host whose listings and reads pass through the test, which hides for a while what is there.
 * How long is waited, and where, is shown by test/unit/engine/late-files.test.ts.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import {
  type HostileHost,
  honest,
  startHostileHost,
  type Tamper,
} from '../support/faults/hostile-host.ts';
import { SFTP, status } from '../support/faults/sftp-packets.ts';

const PINS = join(tmpdir(), `towline-late-${process.pid}`);
const END_OF_FILE = 1;
let late: HostileHost;
let daemon: TestDaemon;

beforeAll(async () => {
  late = await startHostileHost();
  writeFileSync(PINS, late.knownHosts);
  daemon = makeDaemon({ vm: { port: String(late.port), known_hosts: PINS } });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await late[Symbol.asyncDispose]();
  rmSync(PINS);
});

afterEach(() => {
  late.onReply = honest;
});

/** The first so many replies of this type about paths with this end say that there is nothing more. */
function hide(type: number, end: string, times: number): Tamper {
  let seen = 0;
  return (packet, asked) => {
    if (asked.type !== type || !asked.path.endsWith(end)) return [packet];
    seen += 1;
    return seen > times ? [packet] : [status(asked.id, END_OF_FILE)];
  };
}

async function outcome(name: string) {
  const local = join(daemon.dir, name);
  const command = ['sh', '-c', 'echo said; echo made >made'];
  const id = await daemon.submit('--output', `made:${local}`, MINI, '--', ...command);
  await daemon.cli('wait', id);
  return { local, id, task: await daemon.show(id) };
}

test('row 22: an output whose name shows late is delivered', async () => {
  late.onReply = hide(SFTP.READDIR, '/work', 1);
  const { local, task } = await outcome('late');
  expect(task.state).toBe('succeeded');
  expect(readFileSync(local, 'utf8')).toBe('made\n');
});

test('row 22: an output that never shows is missing', async () => {
  late.onReply = hide(SFTP.READDIR, '/work', Number.POSITIVE_INFINITY);
  expect((await outcome('never')).task).toMatchObject({
    state: 'failed',
    failure: { code: 'OUTPUT_MISSING' },
  });
});

test('row 22: a stream whose end shows late arrives whole', async () => {
  // each look reads twice at most
  late.onReply = hide(SFTP.READ, '/stdout', 3);
  const { id, task } = await outcome('stream');
  expect(task.state).toBe('succeeded');
  expect((await daemon.cli('logs', '--stdout', id)).stdout).toBe('said\n');
});

test('row 22: a stream whose end never shows is truncated', async () => {
  late.onReply = hide(SFTP.READ, '/stdout', Number.POSITIVE_INFINITY);
  expect((await outcome('short')).task.failure?.code).toBe('STREAM_TRUNCATED');
});
