/** A connection for bulk data, made through ssh2-sftp-client with the same login as every other. */

import SftpClient from 'ssh2-sftp-client';
import { SftpSession } from '../sftp/session.ts';
import { hostContext, logIn } from './connect.ts';
import type { ConnectionDeps } from './connection.ts';
import { watchSilence } from './watchdog.ts';
import type { Wire } from './wire.ts';

/**
 * Logs in and gives a link for one transfer at a time.
 * @throws SSH_*
 */
export function openTransferLink(deps: ConnectionDeps): Promise<TransferLink> {
  return logIn(deps.door, async ({ config, socket }) => {
    deps.traffic.track(socket);
    const nothing = (): void => {};
    // Its default callbacks print to the console.
    const client = new SftpClient(`towline ${deps.door.settings.name}`, {
      error: nothing,
      end: nothing,
      close: nothing,
    });
    let first: Error | undefined;
    client.on('error', (error) => {
      first ??= error;
    });
    try {
      const raw = await client.connect(config);
      widen(raw);
      deps.counters.logins += 1;
      deps.counters.channels += 1;
      const { clock, counters, door } = deps;
      const { progressTimeoutMs } = door.settings;
      const context = hostContext(door.settings);
      const session = new SftpSession(raw, { clock, counters, context, progressTimeoutMs });
      return new TransferLink({ client, socket, session }, deps);
    } catch (error) {
      // Its own errors have lost the words and codes that the tables know.
      throw first ?? error;
    }
  });
}

/**
 * The library lets 2 MiB be under way to us, which over 50 ms is 40 MB/s. What is granted once on top of that it does
 * not count, and so never takes back; an SFTP channel takes whatever comes, as much as was asked for.
 */
const WIDER_BYTES = 8 * 1024 * 1024;

function widen(raw: unknown): void {
  const { outgoing, _protocol: protocol } = raw as {
    outgoing?: { id: number };
    _protocol?: { channelWindowAdjust?: (id: number, bytes: number) => void };
  };
  if (outgoing !== undefined) protocol?.channelWindowAdjust?.(outgoing.id, WIDER_BYTES);
}

interface Parts {
  client: SftpClient;
  socket: Wire;
  session: SftpSession;
}

export class TransferLink {
  readonly session: SftpSession;
  readonly #parts: Parts;
  readonly #stopWatch: () => void;
  readonly #forget: () => void;

  constructor(parts: Parts, { door, clock, channels }: ConnectionDeps) {
    const { keepaliveIntervalMs, progressTimeoutMs } = door.settings;
    this.session = parts.session;
    this.#parts = parts;
    const misses = Math.ceil(progressTimeoutMs / keepaliveIntervalMs);
    const watch = { intervalMs: keepaliveIntervalMs, misses, clock };
    this.#stopWatch = watchSilence(parts.socket, watch, (ms) => this.close(`silent for ${ms} ms`));
    channels.connected(1);
    channels.opened(1);
    this.#forget = once(() => {
      channels.connected(-1);
      channels.opened(-1);
    });
    parts.client.on('close', () => this.close('the connection was closed by the host'));
  }

  get usable(): boolean {
    return this.session.usable && !this.#parts.socket.destroyed;
  }

  /** Ends it at once; a transfer under way rejects with SSH_CONNECTION_LOST. */
  close(reason: string): void {
    this.#stopWatch();
    this.#forget();
    this.session.end(reason);
    // Its end() can hang on a dead peer; the socket is ours to close.
    this.#parts.client.end().catch(() => {});
    const timer = setTimeout(() => this.#parts.socket.destroy(), 500);
    this.#parts.socket.once('close', () => clearTimeout(timer));
    this.#parts.socket.end();
  }

  /** As close, without sending what waits. */
  drop(reason: string): void {
    this.close(reason);
    this.#parts.socket.destroy();
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
