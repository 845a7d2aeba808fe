/**
 * Goal: what never ends, or is a million, is taken in pieces or refused, and the daemon stays small.
 * Method: real payloads that print and make too much, followers that do not read, memory as the kernel
 * counts it (its highest mark). The bounds are wide: what passes through is many times as big.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { storeEndedTasks } from '../support/ended-tasks.ts';
import { highestMemory, memoryNow, printed } from '../support/memory.ts';
import { TAKES_ALL } from '../support/share.ts';
import { until } from '../support/until.ts';

const MIB = 1 << 20;
/** TOWLINE_LONG_LINE_MB=1000 makes it a gigabyte; the bounds stay. */
const LINE_BYTES = Number(process.env['TOWLINE_LONG_LINE_MB'] ?? 320) * 1_000_000;
/** TOWLINE_MANY_FILES=1000000 makes it a million. */
const FILES = Number(process.env['TOWLINE_MANY_FILES'] ?? 110_000);

/** A follower that asks for everything and reads nothing. */
async function deafFollower(daemon: TestDaemon, id: string): Promise<Socket> {
  const socket = createConnection(daemon.socket);
  socket.write(`GET /v1/tasks/${id}/logs/stdout?follow=true HTTP/1.1\r\nhost: x\r\n\r\n`);
  socket.pause();
  socket.on('error', () => {});
  return socket;
}

test('row 31: a line without an end passes through run and logs -f, past followers that do not read, and nobody holds it', async () => {
  await using daemon = makeDaemon();
  await daemon.start();
  const before = memoryNow(daemon.pid());
  const line = `head -c ${LINE_BYTES} /dev/zero | tr '\\0' x`;
  const words = ['--host', 'vm', '--output-limit', '2GB', MINI, '--', 'sh', '-c', line];
  const run = printed(daemon.spawnCli(['run', ...words]));
  let id = '';
  await until(async () => {
    const list = await daemon.cli('list', '--json');
    id = (JSON.parse(list.stdout) as { tasks: { id: string }[] }).tasks[0]?.id ?? '';
    return id !== '';
  });
  const deaf = await Promise.all([1, 2, 3].map(() => deafFollower(daemon, id)));
  const follower = printed(daemon.spawnCli(['logs', '-f', id]));
  const [ran, followed] = await Promise.all([run, follower]);
  // From the beginning, once it is all there.
  const read = await printed(daemon.spawnCli(['logs', id]));
  const growth = highestMemory(daemon.pid()) - before;
  console.log(
    `${LINE_BYTES / 1e6} MB: daemon +${mib(growth)}, run ${mib(ran.peak)}, logs -f ${mib(followed.peak)}, logs ${mib(read.peak)}`,
  );
  for (const { bytes, code } of [ran, followed, read]) {
    expect({ bytes, code }).toEqual({ bytes: LINE_BYTES, code: 0 });
  }
  expect(growth).toBeLessThan(150 * MIB);
  for (const { peak } of [ran, followed, read]) expect(peak).toBeLessThan(220 * MIB);
  for (const socket of deaf) socket.destroy();
});

test('row 31: more files than a task may bring back are refused by name, the daemon stays small, the next task runs', async () => {
  await using daemon = makeDaemon();
  await daemon.start();
  const before = memoryNow(daemon.pid());
  const make = `mkdir d && cd d && seq ${FILES} | xargs touch`;
  const out = join(daemon.dir, 'out');
  const ran = await daemon.cli(
    ...['run', '--host', 'vm', '--output', `d/*:${out}/`, '--cleanup', 'always'],
    ...[MINI, '--', 'sh', '-c', make],
  );
  expect(ran).toMatchObject({ code: 125 });
  expect(ran.stderr).toContain('OUTPUT_LIMIT');
  expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  const growth = highestMemory(daemon.pid()) - before;
  console.log(`${FILES} files: daemon +${mib(growth)}`);
  expect(growth).toBeLessThan(200 * MIB);
  expect(await daemon.run('echo', 'next')).toMatchObject({ code: 0, stdout: 'next\n' });
});

test('row 31: bits that give another user, group or deletion rights never come home', async () => {
  await using daemon = makeDaemon();
  await daemon.start();
  const out = join(daemon.dir, 'out');
  const payload =
    'umask 022; mkdir d && echo x >d/su && chmod 6755 d/su && echo x >d/plain && chmod 4644 d/plain && chmod 3777 d && ls -ld d d/su';
  const id = await daemon.submit(
    ...['--host', 'vm', '--output', `d:${out}`, '--cleanup', 'never', MINI],
    ...['--', 'sh', '-c', payload],
  );
  const waited = await daemon.cli('wait', id);
  expect(waited, (await daemon.cli('logs', id)).stderr).toMatchObject({ code: 0 });
  // The payload really had them.
  expect((await daemon.cli('logs', id)).stdout).toMatch(/^drwxrws.*\n-rwsr-sr-x/);
  expect((await daemon.cli('cp', `${id}:d`, join(daemon.dir, 'copy'))).stderr).toBe('');
  for (const place of [out, join(daemon.dir, 'copy')]) {
    const modes = ['.', 'su', 'plain'].map((name) => statSync(join(place, name)).mode & 0o7000);
    expect(modes).toEqual([0, 0, 0]);
  }
  expect(statSync(join(out, 'su')).mode & 0o777).toBe(0o755);
});

test('row 31: thousands of ended tasks and their events are told in pages', async () => {
  await using daemon = makeDaemon();
  await daemon.start();
  await daemon.kill();
  const count = TAKES_ALL ? 10_000 : 3_000;
  await storeEndedTasks(daemon.stateDir, count);
  // A daemon that held on to what it has told would end for lack of heap.
  await daemon.start({ NODE_OPTIONS: '--max-old-space-size=96' });
  const before = memoryNow(daemon.pid());
  const listAll = () => printed(daemon.spawnCli(['list', '--all', '--json']), { keep: true });
  const list = await listAll();
  expect((JSON.parse(list.text) as { tasks: unknown[] }).tasks).toHaveLength(count);
  await listAll();
  const events = await printed(daemon.spawnCli(['events', '--json']), { keep: true });
  expect(events.text.trimEnd().split('\n')).toHaveLength(count);
  const growth = highestMemory(daemon.pid()) - before;
  console.log(
    `${count} tasks: daemon +${mib(growth)}, list ${mib(list.peak)}, events ${mib(events.peak)}`,
  );
  expect(growth).toBeLessThan(300 * MIB);
});

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
