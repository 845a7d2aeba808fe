/** One local file of a stream. Its handle is opened on demand and closed when nobody has used it for a while. */
import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { AppError } from '../domain/failure.ts';
import { diskError } from './disk-error.ts';
import type { Timer } from './timer.ts';
import { writeAll } from './write-durably.ts';

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const CHUNK_BYTES = 256 * 1024;
/** So much of the last append is kept, for those who follow line by line. */
const TAIL_BYTES = 4 * 1024;

export class StreamFile {
  readonly path: string;
  readonly #idle: { timer: Timer; idleMs: number };
  #length = 0;
  #tail: { offset: number; bytes: Buffer } | undefined;
  #handle: Promise<FileHandle> | undefined;
  #users = 0;
  #closing = false;
  #cancelIdle: (() => void) | undefined;

  constructor(path: string, idle: { timer: Timer; idleMs: number }) {
    this.path = path;
    this.#idle = idle;
  }

  /** What is readable: grows when an append is done. */
  get length(): number {
    return this.#length;
  }

  /** Learns the length from the disk; no file is an empty one. @throws STORE_CORRUPT */
  async load(): Promise<void> {
    const info = await stat(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw diskError(error, this.path);
    });
    this.#length = info?.size ?? 0;
  }

  /** Adds bytes at the end, all or none. @throws STORE_FULL, STORE_IO */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#use(async (handle) => {
      try {
        await writeAll(handle, bytes, this.#length);
      } catch (error) {
        // What was written before the disk filled up must not be taken for the whole.
        await handle.truncate(this.#length);
        throw error;
      }
    });
    const offset = this.#length;
    this.#length += bytes.length;
    this.#tail = bytes.length > TAIL_BYTES ? undefined : { offset, bytes: Buffer.from(bytes) };
  }

  /** At most one chunk from `offset`, which must be below the length; not to be changed. @throws STORE_CORRUPT */
  async read(offset: number): Promise<Buffer> {
    const size = Math.min(CHUNK_BYTES, this.#length - offset);
    assert(size > 0, 'there is something to read');
    const tail = this.#tail;
    if (tail !== undefined && offset >= tail.offset) {
      return tail.bytes.subarray(offset - tail.offset);
    }
    const chunk = Buffer.allocUnsafe(size);
    const { bytesRead } = await this.#use((handle) => handle.read(chunk, 0, size, offset));
    if (bytesRead === 0 && offset < this.#length) {
      throw new AppError(
        'STORE_CORRUPT',
        `${this.path} is shorter than its ${this.#length} bytes`,
        {
          context: { path: this.path },
        },
      );
    }
    return chunk.subarray(0, bytesRead);
  }

  /** Makes the bytes durable. @throws STORE_FULL, STORE_IO; they may be lost then. */
  async sync(): Promise<void> {
    if (this.#length > 0) await this.#use((handle) => handle.datasync());
  }

  /** Forgets the bytes from `length` on. @throws STORE_CORRUPT */
  async cut(length: number): Promise<void> {
    assert(length <= this.#length);
    if (length === this.#length) return;
    await this.#use((handle) => handle.truncate(length));
    this.#length = length;
    this.#tail = undefined;
  }

  /** Leaves the bytes from `length` on where they are, and does not show them. */
  hide(length: number): void {
    this.#length = Math.min(length, this.#length);
  }

  /** Closes the handle, or leaves that to whoever is using it just now. */
  async close(): Promise<void> {
    this.#cancelIdle?.();
    this.#closing = this.#users > 0;
    if (this.#closing) return;
    // Taken out before waiting: whoever comes meanwhile opens the file anew.
    const handle = this.#handle;
    this.#handle = undefined;
    await (await handle)?.close();
  }

  async #use<T>(act: (handle: FileHandle) => Promise<T>): Promise<T> {
    this.#cancelIdle?.();
    this.#users += 1;
    try {
      return await act(await this.#open());
    } catch (error) {
      throw diskError(error, this.path);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) await this.#rest();
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      this.#handle ??= open(this.path, FLAGS, 0o600);
      return await this.#handle;
    } catch (error) {
      this.#handle = undefined;
      throw error;
    }
  }

  async #rest(): Promise<void> {
    if (this.#closing) return await this.close();
    const { timer, idleMs } = this.#idle;
    // An error of the disk is told by the next sync, through whatever handle.
    this.#cancelIdle = timer.after(idleMs, () => void this.close().catch(() => {}));
  }
}
