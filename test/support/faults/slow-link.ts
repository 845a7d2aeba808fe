/**
 * A TCP proxy on loopback that is slow as far links are: a delay in each direction, and so many bytes a second. Packets
 * that are lost, overtaken or doubled are the business of TCP below a proxy; what is left of them for who uses
 * the connection is a stall, and that is made here.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Slowness {
  /** Added to each direction. */
  delayMs: number;
  /** The delay varies by so much up and down; bytes stay in order. */
  jitterMs: number;
  /** In each direction of each connection. */
  bytesPerSecond: number;
  /** The share of pieces that come late by `stallMs`, with all that is behind them: as after a lost packet. */
  stalls: number;
  stallMs: number;
  /** What is under way, as in a network that holds little; the sender waits. */
  heldBytes: number;
  /** What is carried at once. */
  pieceBytes: number;
}

export interface SlowLink extends AsyncDisposable {
  readonly port: number;
  bytes(): { requests: number; replies: number };
}

export async function startSlowLink(
  target: number,
  slowness: Partial<Slowness>,
): Promise<SlowLink> {
  const how: Slowness = {
    ...{ delayMs: 0, jitterMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, stalls: 0, stallMs: 0 },
    ...{ heldBytes: 64 * 1024, pieceBytes: 1_024 },
    ...slowness,
  };
  const sockets = new Set<Socket>();
  const count = { requests: 0, replies: 0 };
  const server = createServer((near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    carry({ from: near, to: far, how }, (bytes) => (count.requests += bytes));
    carry({ from: far, to: near, how }, (bytes) => (count.replies += bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => ({ ...count }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Way {
  from: Socket;
  to: Socket;
  how: Slowness;
}

function carry({ from, to, how }: Way, passed: (bytes: number) => void): void {
  const queue: { dueAt: number; act: () => void }[] = [];
  let held = 0;
  let dueAt = 0;
  // One timer for all: two that are due at the same time fire in any order.
  const deliver = (): void => {
    while ((queue[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= performance.now()) queue.shift()?.act();
    const [next] = queue;
    if (next !== undefined) setTimeout(deliver, Math.max(1, next.dueAt - performance.now()));
  };
  /** After `bytes` more have had their time. */
  const later = (bytes: number, act: () => void): void => {
    const stall = bytes > 0 && Math.random() < how.stalls ? how.stallMs : 0;
    const delay = how.delayMs + (2 * Math.random() - 1) * how.jitterMs + stall;
    // Never before what came earlier, and no faster than the line is.
    dueAt = Math.max(performance.now() + delay, dueAt) + (1_000 * bytes) / how.bytesPerSecond;
    if (queue.push({ dueAt, act }) === 1)
      setTimeout(deliver, Math.max(1, dueAt - performance.now()));
  };
  from.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += how.pieceBytes) {
      const piece = chunk.subarray(at, at + how.pieceBytes);
      held += piece.length;
      later(piece.length, () => {
        held -= piece.length;
        passed(piece.length);
        if (!to.destroyed) to.write(piece);
        if (held < how.heldBytes) from.resume();
      });
    }
    if (held >= how.heldBytes) from.pause();
  });
  from.on('end', () => later(0, () => to.end()));
  from.on('close', () => later(0, () => to.destroy()));
}
