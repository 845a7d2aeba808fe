/** Files of web servers. What answers for now with an error of its own is asked again a few times. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { AbortError } from 'p-retry';
import { fetchFailed, type Storage } from './storage.ts';
import { inTries, mayPass } from './tries.ts';

export const httpStorage: Storage = {
  schemes: ['http', 'https'],
  async fetch(url, path, { signal }) {
    try {
      await inTries(() => fetchOnce(url, path, signal), signal);
    } catch (cause) {
      await rm(path, { force: true });
      signal.throwIfAborted();
      throw fetchFailed(url, cause);
    }
  },
};

async function fetchOnce(url: string, path: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal });
  const { status, body } = response;
  if (!response.ok || body === null) {
    await body?.cancel();
    const error = new Error(`the server answered ${status} ${response.statusText}`.trim());
    throw mayPass(status) ? error : new AbortError(error);
  }
  const bytes = Readable.fromWeb(body as ReadableStream<Uint8Array>);
  await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal });
}
