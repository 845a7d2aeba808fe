/** A stream through another host behaves as a socket, whatever the channel under it does. */
import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { expect, it } from 'vitest';
import { Tunnel } from '../../../../src/remote/ssh/tunnel.ts';

/** A channel as ssh2 makes it: destroy() does not tell, and what is written when it is closed is swallowed. */
class Channel extends Duplex {
  readonly written: string[] = [];
  paused = 0;
  closed_ = false;

  constructor() {
    super({ emitClose: false });
  }
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.written.push(chunk.toString());
    done();
  }
  override pause(): this {
    this.paused += 1;
    return super.pause();
  }
  override destroy(): this {
    this.closed_ = true;
    return this;
  }
  say(bytes: Buffer | string): void {
    this.push(bytes);
  }
}

function scene() {
  const channel = new Channel();
  const tunnel = new Tunnel(channel as unknown as ClientChannel);
  const events: string[] = [];
  tunnel.on('error', (error) => events.push(error.message));
  for (const name of ['end', 'close']) tunnel.on(name, () => events.push(name));
  const closed = new Promise((resolve) => tunnel.once('close', resolve));
  return { channel, tunnel, events, closed };
}

it('counts its bytes both ways and passes them on', async () => {
  const { channel, tunnel } = scene();
  const heard: string[] = [];
  tunnel.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  channel.say('hello');
  await new Promise((resolve) => tunnel.write('there', resolve));
  await expect.poll(() => heard, { interval: 1 }).toEqual(['hello']);
  expect([channel.written, tunnel.bytesRead, tunnel.bytesWritten]).toEqual([['there'], 5, 5]);
});

it('lets the channel wait while nobody reads', async () => {
  const { channel, tunnel } = scene();
  tunnel.pause();
  for (let n = 0; n < 8; n += 1) channel.say(Buffer.alloc(32_768));
  await expect.poll(() => channel.paused, { interval: 1 }).toBeGreaterThan(0);
  tunnel.resume();
  await expect.poll(() => tunnel.bytesRead, { interval: 1 }).toBe(8 * 32_768);
});

it.each(['end', 'close'])('ends and closes when the channel says %s', async (event) => {
  const { channel, tunnel, events, closed } = scene();
  tunnel.resume();
  channel.emit(event);
  await closed;
  expect([events, channel.closed_, tunnel.destroyed]).toEqual([['end', 'close'], true, true]);
});

it('breaks once when the connection under it is lost, and takes nothing more', async () => {
  const { channel, tunnel, events, closed } = scene();
  tunnel.destroy(new Error('Connection lost: silent'));
  tunnel.destroy(new Error('again'));
  await closed;
  expect([events, channel.closed_]).toEqual([['Connection lost: silent', 'close'], true]);
});

it('says that a closed channel takes nothing', async () => {
  const { channel, tunnel, events, closed } = scene();
  channel.end();
  tunnel.write('lost');
  await closed;
  expect(events).toEqual(['Connection lost: the tunnel was closed', 'close']);
});
