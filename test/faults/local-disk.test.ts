/**
 * Goal: a full disk on the submit host loses nothing. Method: the state directory, or where outputs go,
 * is a small file system that the test fills to the last byte while a task prints and ends, then frees.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { COUNTED, runtimeStarts } from '../support/crash-task.ts';
import { makeDaemon } from '../support/daemon.ts';
import { mountSmallDisk } from '../support/faults/small-disk.ts';
import { until } from '../support/until.ts';

const sha256 = (bytes: string): string => createHash('sha256').update(bytes).digest('hex');

/** So much that it cannot come in while the disk is full. */
const LINES = 60_000;

test('row 19: a full state directory takes no new work, keeps what is on the host, and goes on without a gap when it is freed', async () => {
  await using daemon = makeDaemon({ vm: COUNTED, daemon: { min_free: '0' } });
  using disk = mountSmallDisk(daemon.stateDir, 8);
  await daemon.start();
  const payload = `echo first; while [ ! -e go ]; do sleep 0.1; done; seq ${LINES}; seq 99 >&2; exit 3`;
  const id = await daemon.submit('--cleanup', 'always', MINI, '--', 'sh', '-c', payload);
  await until(async () => (await daemon.cli('logs', id)).stdout === 'first\n');
  const { remoteDir } = await daemon.show(id);
  disk.fill();

  const refused = await daemon.cli('submit', MINI, '--', 'true');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('STORE_FULL');
  expect(refused.stderr).toContain('free space there; work goes on by itself');

  await onHost('vm', 'touch', `${remoteDir}/work/go`);
  await until(() => daemon.log().includes('"code":"STORE_FULL"'), daemon.log);
  await until(async () => (await onHost('vm', 'ls', remoteDir ?? '')).includes('exit.json'));
  expect((await daemon.show(id)).state).toBe('running');
  expect((await daemon.cli('list', '--quiet')).stdout).toBe(`${id}\n`);

  disk.free();
  expect((await daemon.cli('wait', id)).stdout).toBe(`${id} failed 3 TASK_EXIT_CODE\n`);
  const numbers = (last: number): string =>
    Array.from({ length: last }, (_, index) => `${index + 1}\n`).join('');
  const logs = await daemon.cli('logs', id);
  expect(sha256(logs.stdout)).toBe(sha256(`first\n${numbers(LINES)}`));
  expect(logs.stderr).toBe(numbers(99));
  expect(runtimeStarts(`${id}.1`)).toBe(1);
  expect((await daemon.run('true')).code).toBe(0);
});

test('row 19: an output that does not fit here waits on its host, says so, and is delivered when there is room', async () => {
  await using daemon = makeDaemon({ vm: COUNTED });
  const out = join(daemon.dir, 'out');
  using disk = mountSmallDisk(out, 1);
  await daemon.start();
  disk.fill();
  const local = join(out, 'result.txt');
  const payload = `seq ${LINES} >result.txt`;
  const output = ['--output', `result.txt:${local}`];
  const id = await daemon.submit(...output, MINI, '--', 'sh', '-c', payload);
  await until(async () => (await daemon.show(id)).blocked !== undefined);
  const blocked = await daemon.show(id);
  expect(blocked).toMatchObject({
    state: 'collecting',
    blocked: {
      host: 'this machine',
      reason: 'OUTPUT_LOCAL_FULL',
      hint: expect.stringContaining(`free space for ${local}`),
      nextTryAt: expect.any(String),
    },
  });
  expect(await onHost('vm', 'ls', `${blocked.remoteDir}/work`)).toBe('result.txt\n');

  disk.free();
  expect((await daemon.cli('wait', id)).stdout).toBe(`${id} succeeded 0\n`);
  expect(readFileSync(local, 'utf8').trimEnd().split('\n')).toHaveLength(LINES);
  expect(runtimeStarts(`${id}.1`)).toBe(1);
});
