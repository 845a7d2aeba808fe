/**
 * A TCP proxy on loopback that fails as networks do: it swallows everything (black hole), loses one
 * direction only, resets a connection after a given byte, or cuts all connections.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Lane, lane } from './tcp-lane.ts';

/** What the near end asks (requests) or what the far end answers (replies). */
export type Direction = 'requests' | 'replies';

export interface TcpProxy {
  readonly port: number;
  /** From now on nothing passes in either direction, on old connections and on new ones. */
  blackHole(): void;
  /**
   * From now on nothing passes in one direction, on old connections and on new ones. Nobody is told. After
   * heal() what was held is delivered late and in order, as a sender that repeats itself would do it.
   */
  lose(direction: Direction): void;
  /**
   * Counts bytes of one direction from now on, on each connection for itself; the first to reach `bytes` passes just
   * those and is reset at both ends. Once only. With `hole` nothing passes from that moment on, as by blackHole(): whoever
   * is to be met before he tries again is then.
   */
  resetAfter(bytes: number, direction: Direction, then?: 'hole'): void;
  /** New connections pass again; those that a black hole swallowed stay dead, as behind a real cut. */
  heal(): void;
  /** New connections go to this port; those that are open stay where they are. */
  retarget(port: number): void;
  /** Resets all connections. */
  cut(): void;
  connections(): number;
  /** How often resetAfter() has done it. */
  resets(): number;
  stop(): Promise<void>;
}

interface Pair {
  near: Socket;
  far: Socket;
  lanes: Record<Direction, Lane>;
}

export async function startTcpProxy(firstPort: number): Promise<TcpProxy> {
  let targetPort = firstPort;
  const sockets = new Set<Socket>();
  const pairs = new Set<Pair>();
  const lost = new Set<Direction>();
  let resets = 0;
  let trap: { direction: Direction; bytes: number; then: 'hole' | undefined } | undefined;
  let holed = false;

  function blackHole(): void {
    holed = true;
    for (const { near, far, lanes } of pairs) {
      near.unpipe();
      far.unpipe();
      lanes.requests.unpipe();
      lanes.replies.unpipe();
    }
    for (const socket of sockets) socket.pause();
  }
  function reset({ near, far, lanes }: Pair): void {
    if (trap?.then === 'hole') blackHole();
    trap = undefined;
    resets += 1;
    for (const other of pairs) disarm(other);
    // what the lane let pass is still on its way to the socket
    lanes.requests.unpipe(far);
    lanes.replies.unpipe(near);
    near.resetAndDestroy();
    far.resetAndDestroy();
  }
  function arm(pair: Pair): void {
    if (trap === undefined) return;
    const { direction, bytes } = trap;
    const to = direction === 'requests' ? pair.far : pair.near;
    // only when the last byte was given to the kernel
    pair.lanes[direction].stopAfter(bytes, () => to.write('', () => reset(pair)));
  }

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
    const pair = { near, far, lanes: { requests: lane(), replies: lane() } };
    pairs.add(pair);
    for (const direction of lost) pair.lanes[direction].hold();
    arm(pair);
    far.on('error', () => near.destroy());
    far.on('close', () => {
      sockets.delete(far);
      pairs.delete(pair);
      near.destroy();
    });
    // bytes that are held still have to land; then the lane ends the far side itself
    near.on('close', () => pair.lanes.requests.holds() || far.destroy());
    near.pipe(pair.lanes.requests).pipe(far);
    far.pipe(pair.lanes.replies).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    blackHole,
    lose: (direction) => {
      lost.add(direction);
      for (const pair of pairs) pair.lanes[direction].hold();
    },
    resetAfter: (bytes, direction, then) => {
      trap = { direction, bytes, then };
      for (const pair of pairs) arm(pair);
    },
    heal: () => {
      holed = false;
      trap = undefined;
      lost.clear();
      for (const pair of pairs) {
        disarm(pair);
        for (const one of Object.values(pair.lanes)) one.release();
      }
    },
    retarget: (next) => {
      targetPort = next;
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    connections: () => sockets.size,
    resets: () => resets,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function disarm({ lanes }: Pair): void {
  for (const one of Object.values(lanes)) one.stopAfter(Number.POSITIVE_INFINITY, () => {});
}
