/** SFTP as packets: cut out of a stream, made, and understood as far as a tamperer needs. */

/** Types of requests and replies (SFTP version 3). */
export const SFTP = {
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
} as const;

/** Cuts a stream into packets, each without its length. */
export class Packets {
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const packets: Buffer[] = [];
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUInt32BE(0);
      if (this.#rest.length < 4 + length) break;
      packets.push(this.#rest.subarray(4, 4 + length));
      this.#rest = this.#rest.subarray(4 + length);
    }
    return packets;
  }
}

/** A packet with its length in front. */
export function framed(packet: Buffer): Buffer {
  return Buffer.concat([uint32(packet.length), packet]);
}

/** The length-prefixed string at `at`. */
export function stringAt(packet: Buffer, at: number): Buffer {
  return packet.subarray(at + 4, at + 4 + packet.readUInt32BE(at));
}

export const idOf = (packet: Buffer): number => packet.readUInt32BE(1);

export const status = (id: number, code: number, words = ''): Buffer =>
  Buffer.concat([head(SFTP.STATUS, id), uint32(code), text(words), text('')]);

export const data = (id: number, bytes: Buffer): Buffer =>
  Buffer.concat([head(SFTP.DATA, id), text(bytes)]);

export const handle = (id: number, bytes: Buffer): Buffer =>
  Buffer.concat([head(SFTP.HANDLE, id), text(bytes)]);

export interface Named {
  name: string | Buffer;
  mode?: number;
  size?: number;
}

/** Attributes that say nothing. */
export const attributes = (id: number): Buffer =>
  Buffer.concat([head(SFTP.ATTRS, id), attributesOf(undefined, undefined)]);

/** A piece of a listing; an entry without mode and size has no attributes at all. */
export function names(id: number, entries: readonly Named[]): Buffer {
  const parts = entries.map(({ name, mode, size }) =>
    Buffer.concat([text(name), text(''), attributesOf(mode, size)]),
  );
  return Buffer.concat([head(SFTP.NAME, id), uint32(entries.length), ...parts]);
}

function attributesOf(mode: number | undefined, size: number | undefined): Buffer {
  const flags = (size === undefined ? 0 : 1) | (mode === undefined ? 0 : 4);
  const parts = [uint32(flags)];
  if (size !== undefined) parts.push(uint32(Math.floor(size / 2 ** 32)), uint32(size % 2 ** 32));
  if (mode !== undefined) parts.push(uint32(mode));
  return Buffer.concat(parts);
}

function head(type: number, id: number): Buffer {
  return Buffer.concat([Buffer.from([type]), uint32(id)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
