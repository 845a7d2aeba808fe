/**
 * A stream through another host that behaves as a socket does: it ends, breaks and closes once, and
 * counts its own bytes. An ssh2 channel alone does none of that when the connection under it dies.
 */
import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { Wire } from './wire.ts';

export class Tunnel extends Duplex implements Wire {
  bytesRead = 0;
  bytesWritten = 0;
  readonly #channel: ClientChannel;

  constructor(channel: ClientChannel) {
    // As a socket: when the far side has ended, so do we.
    super({ allowHalfOpen: false });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('error', (error: Error) => this.destroy(error));
    channel.once('end', () => this.push(null));
    // What arrived before the close is still read; nothing comes after it.
    channel.once('close', () => this.push(null));
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error) => void): void {
    // A channel that is closed swallows data without a word.
    if (!this.#channel.writable) {
      done(new Error('Connection lost: the tunnel was closed'));
      return;
    }
    this.bytesWritten += chunk.length;
    this.#channel.write(chunk, encoding, (error) => done(error ?? undefined));
  }

  override _final(done: () => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    try {
      this.#channel.destroy();
    } catch {
      // The connection is gone, and the channel with it.
    }
    done(error);
  }
}
