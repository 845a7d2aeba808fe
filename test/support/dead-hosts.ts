/** Hosts that are down in different ways, and when somebody knocked at them. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** closed: nothing listens; mute: accepts and says nothing; shut: accepts and closes at once. */
export type DeadKind = 'closed' | 'mute' | 'shut';

export interface DeadHost extends AsyncDisposable {
  kind: DeadKind;
  port: number;
  /** performance.now() of each knock; none are seen where nothing listens. */
  knocks: number[];
}

export async function startDeadHost(kind: DeadKind): Promise<DeadHost> {
  const knocks: number[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    knocks.push(performance.now());
    socket.on('error', () => {});
    if (kind === 'shut') socket.end();
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of open) socket.destroy();
      server.close(() => resolve());
    });
  if (kind === 'closed') await stop();
  return {
    kind,
    port,
    knocks,
    [Symbol.asyncDispose]: async () => {
      if (kind !== 'closed') await stop();
    },
  };
}
