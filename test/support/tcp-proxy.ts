/** A TCP proxy on loopback that can swallow everything (black hole) or cut all connections. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** From now on nothing passes in either direction, on old connections and on new ones. */
  blackHole(): void;
  /** New connections pass again; those that were swallowed stay dead, as behind a real cut. */
  heal(): void;
  /** New connections go to this port; those that are open stay where they are. */
  retarget(port: number): void;
  /** Resets all connections. */
  cut(): void;
  connections(): number;
  stop(): Promise<void>;
}

export async function startTcpProxy(firstPort: number): Promise<TcpProxy> {
  let targetPort = firstPort;
  const sockets = new Set<Socket>();
  let holed = false;
  const server = createServer((near) => {
    sockets.add(near);
    near.on('close', () => sockets.delete(near));
    near.on('error', () => {});
    if (holed) {
      near.pause();
      return;
    }
    const far = connect(targetPort, '127.0.0.1');
    sockets.add(far);
    far.on('error', () => near.destroy());
    far.on('close', () => {
      sockets.delete(far);
      near.destroy();
    });
    near.on('close', () => far.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    blackHole: () => {
      holed = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    heal: () => {
      holed = false;
    },
    retarget: (next) => {
      targetPort = next;
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    connections: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
