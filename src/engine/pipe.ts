/** From a writer that is called to a reader that asks: one chunk at a time, so nothing piles up in between. */

export interface Pipe extends AsyncIterable<Buffer> {
  /** Resolves when the chunk was taken. Rejects once nobody reads any more. */
  write(chunk: Buffer): Promise<void>;
  /** There is no more: what was written is read first. */
  end(): void;
  /** The reader meets this error. */
  fail(error: unknown): void;
  /** Nobody reads any more. */
  close(): void;
}

export function createPipe(): Pipe {
  let chunk: Buffer | undefined;
  let taken: PromiseWithResolvers<void> | undefined;
  let news = Promise.withResolvers<void>();
  let over: { error?: unknown } | undefined;
  let closed = false;

  async function* read(): AsyncGenerator<Buffer> {
    for (;;) {
      if (chunk !== undefined) {
        const next = chunk;
        chunk = undefined;
        yield next;
        // taken only now: whoever asks again has done with the last one
        taken?.resolve();
      } else if (over !== undefined) {
        if ('error' in over) throw over.error;
        return;
      } else {
        await news.promise;
        news = Promise.withResolvers<void>();
      }
    }
  }

  return {
    [Symbol.asyncIterator]: read,
    async write(bytes) {
      if (closed) throw new Error('nobody reads any more');
      chunk = bytes;
      taken = Promise.withResolvers<void>();
      news.resolve();
      await taken.promise;
    },
    end() {
      over ??= {};
      news.resolve();
    },
    fail(error) {
      over ??= { error };
      news.resolve();
    },
    close() {
      closed = true;
      taken?.reject(new Error('nobody reads any more'));
      taken?.promise.catch(() => {});
    },
  };
}
