/** Goal: many small writes in one turn are one call of the system, in order, and none waits for another turn. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { gatherWrites } from '../../../src/remote/ssh/gather-writes.ts';

async function pair(): Promise<{ near: Socket; far: Socket } & Disposable> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(near, 'connect');
  const [far] = (await accepted) as [Socket];
  const dispose = (): void => {
    near.destroy();
    far.destroy();
    server.close();
  };
  return { near: gatherWrites(near), far, [Symbol.dispose]: dispose };
}

/** How many chunks each call of the system was given. */
function calls(socket: Socket): number[] {
  const counts: number[] = [];
  const inner = socket as unknown as {
    _writeGeneric(gathered: boolean, chunks: unknown, ...more: unknown[]): void;
  };
  const write = inner._writeGeneric.bind(socket);
  inner._writeGeneric = (gathered, chunks, ...more) => {
    counts.push(gathered ? (chunks as unknown[]).length : 1);
    write(gathered, chunks, ...more);
  };
  return counts;
}

test('what is written in one turn goes out together, what in the next by itself', async () => {
  using sockets = await pair();
  const { near, far } = sockets;
  const counts = calls(near);
  let seen = '';
  far.on('data', (bytes: Buffer) => (seen += bytes.toString()));
  for (const word of ['a', 'b', 'c']) near.write(word);
  await new Promise((resolve) => near.write('d', resolve));
  await new Promise((resolve) => near.write('e', resolve));
  expect(counts).toEqual([4, 1]);
  await expect.poll(() => seen).toBe('abcde');
});

test('an end right after it takes all with it', async () => {
  using sockets = await pair();
  const { near, far } = sockets;
  let seen = '';
  far.on('data', (bytes: Buffer) => (seen += bytes.toString()));
  near.write('last ');
  near.end('words');
  await once(far, 'end');
  expect(seen).toBe('last words');
});
