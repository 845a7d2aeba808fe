/** Goal: the proxy fails in just the way it is told. Method: a server that echoes, and raw bytes through the proxy. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

interface Talk {
  socket: Socket;
  heard: () => string;
  error: () => string | undefined;
}

let server: Server;
let proxy: TcpProxy;
let arrived = '';
let serverResets = 0;
const opened: Socket[] = [];

beforeEach(async () => {
  arrived = '';
  serverResets = 0;
  server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      arrived += chunk.toString();
      socket.write(chunk);
    });
    socket.on('error', () => (serverResets += 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startTcpProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => server.close(resolve));
});

async function talk(): Promise<Talk> {
  let heard = '';
  let error: string | undefined;
  const socket = connect(proxy.port, '127.0.0.1');
  opened.push(socket);
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.on('error', (cause: NodeJS.ErrnoException) => (error = cause.code));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return { socket, heard: () => heard, error: () => error };
}

test.each([1, 3, 5])('a connection is reset after byte %i of its replies', async (bytes) => {
  const first = await talk();
  first.socket.write('before');
  await until(() => first.heard() === 'before');
  proxy.resetAfter(bytes, 'replies');
  first.socket.write('12345678');
  await until(() => first.error() !== undefined);
  expect(first.heard()).toBe(`before${'12345678'.slice(0, bytes)}`);
  await until(() => serverResets === 1);
});

test('a reset after byte k of the requests strikes once, on a connection made later as well', async () => {
  proxy.resetAfter(4, 'requests');
  const struck = await talk();
  const spared = await talk();
  struck.socket.write('abcdef');
  await until(() => struck.error() !== undefined);
  expect(arrived).toBe('abcd');
  spared.socket.write('a longer one');
  await until(() => spared.heard() === 'a longer one');
});

test('lost replies: what is asked arrives, nothing comes back until it is healed', async () => {
  const { socket, heard } = await talk();
  proxy.lose('replies');
  socket.write('asked');
  await until(() => arrived === 'asked');
  expect(heard()).toBe('');
  proxy.heal();
  await until(() => heard() === 'asked');
});

test('lost requests land late, also when the asker has gone', async () => {
  const { socket } = await talk();
  socket.write('early ');
  await until(() => arrived === 'early ');
  proxy.lose('requests');
  socket.end('late');
  await new Promise((resolve) => socket.once('finish', resolve));
  const other = await talk();
  other.socket.write(' other');
  expect(arrived).toBe('early ');
  proxy.heal();
  await until(() => arrived.includes('late') && arrived.includes(' other'));
  await until(() => proxy.connections() === 2);
});

test('a black hole stays one for the connections it swallowed', async () => {
  const { socket, heard } = await talk();
  proxy.blackHole();
  socket.write('into the hole');
  proxy.heal();
  const next = await talk();
  next.socket.write('through');
  await until(() => next.heard() === 'through');
  expect([heard(), arrived]).toEqual(['', 'through']);
});
