/** Goal: only the owner reaches the socket, and no living daemon is pushed aside. Method: real sockets. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { listen } from '../../../src/api/socket.ts';
import { QUIET_LOGGER } from '../../support/fake-daemon.ts';
import { FakeService } from '../../support/fake-service.ts';

let directory: string;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'towline-socket-'));
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

function anApi() {
  const api = createApi({
    service: new FakeService(),
    logger: QUIET_LOGGER,
    version: '1',
    specDefaults: () => ({}),
  });
  closers.push(() => api.close());
  return api;
}

it('makes the directory 0700 and the socket unreachable for others, whatever the umask', async () => {
  const before = process.umask(0);
  try {
    const path = join(directory, 'run', 'towline.sock');
    await listen(anApi(), path);
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(before);
  }
});

it('refuses a directory that others can enter', async () => {
  mkdirSync(join(directory, 'open'), { mode: 0o755 });
  chmodSync(join(directory, 'open'), 0o755);
  const listening = listen(anApi(), join(directory, 'open', 's'));
  await expect(listening).rejects.toMatchObject({
    code: 'DAEMON_SOCKET_INVALID',
    message: expect.stringContaining('mode 755') as unknown,
  });
});

it('refuses a path that is too long, and a place where a file is', async () => {
  await expect(listen(anApi(), `/${'x'.repeat(107)}`)).rejects.toMatchObject({
    code: 'DAEMON_SOCKET_INVALID',
  });
  writeFileSync(join(directory, 'file'), 'mine');
  await expect(listen(anApi(), join(directory, 'file'))).rejects.toMatchObject({
    code: 'DAEMON_SOCKET_INVALID',
  });
  expect(existsSync(join(directory, 'file'))).toBe(true);
});

it('leaves a living daemon alone', async () => {
  const path = join(directory, 's');
  await listen(anApi(), path);
  await expect(listen(anApi(), path)).rejects.toMatchObject({ code: 'DAEMON_ALREADY_RUNNING' });
});

it('replaces the socket of a daemon that was killed', async () => {
  const { spawnSync } = await import('node:child_process');
  const path = join(directory, 'dead');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  expect(existsSync(path)).toBe(true);
  await listen(anApi(), path);
});

it('takes a daemon that accepts but does not answer for a living one', async () => {
  const path = join(directory, 'mute');
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  await expect(listen(anApi(), path)).rejects.toMatchObject({ code: 'DAEMON_ALREADY_RUNNING' });
});
