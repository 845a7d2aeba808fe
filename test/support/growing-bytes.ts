/** Bytes that are appended by one and read from any offset by many, as a spool file would be. */

/** Those who wait for a change of something. */
export class Waiters {
  private waiting = new Set<() => void>();

  wake(): void {
    const woken = this.waiting;
    this.waiting = new Set();
    for (const resolve of woken) resolve();
  }

  /** Resolves at the next change, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      this.waiting.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

export class GrowingBytes {
  bytes = 0;
  complete = false;
  private readonly chunks: Buffer[] = [];
  private readonly changed = new Waiters();

  append(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    this.changed.wake();
  }

  /** The chunk that came last. */
  get last(): Buffer {
    return this.chunks.at(-1) ?? Buffer.alloc(0);
  }

  close(): void {
    this.complete = true;
    this.changed.wake();
  }

  async *read(options: {
    offset: number;
    follow: boolean;
    signal: AbortSignal;
  }): AsyncGenerator<Uint8Array> {
    let start = 0;
    let index = 0;
    for (;;) {
      for (; index < this.chunks.length; index += 1) {
        const chunk = this.chunks[index] ?? Buffer.alloc(0);
        const from = Math.max(0, options.offset - start);
        start += chunk.length;
        if (from < chunk.length) yield chunk.subarray(from);
      }
      if (!options.follow || this.complete || options.signal.aborted) return;
      await this.changed.next(options.signal);
    }
  }
}
