/** The bytes of a file on their way from one host to another, through the daemon. */
import { type AppError, toAppError } from '../domain/failure.ts';
import { createPipe } from './pipe.ts';
import type { Seat } from './seats.ts';
import { SourceTrouble } from './source-trouble.ts';

interface Wanted {
  /** Where it goes. */
  seat: Seat;
  signal: AbortSignal;
  onProgress: (bytesDone: number, bytesTotal: number) => void;
}

interface Stream {
  source: Seat;
  path: string;
  size: number;
  target: string;
  offset: number;
}

/**
 * From host to host, as fast as the slower one; no more in memory than the windows of the two transfers.
 * @throws SourceTrouble for what the other host fails with
 */
export async function streamBetween(
  wish: Wanted,
  { source, path, size, target, offset }: Stream,
): Promise<void> {
  const { seat, onProgress } = wish;
  const pipe = createPipe();
  const stop = new AbortController();
  const signal = AbortSignal.any([wish.signal, stop.signal]);
  let sourceError: AppError | undefined;
  const reading = source.host
    .download({ path, size }, (chunk) => pipe.write(chunk), { offset, signal })
    .then(
      () => pipe.end(),
      (thrown: unknown) => {
        if (!signal.aborted) sourceError = toAppError(thrown);
        pipe.fail(toAppError(thrown));
      },
    );
  try {
    await seat.host.upload(pipe, target, {
      offset,
      onProgress: (bytes) => onProgress(bytes, size),
      signal,
    });
  } catch (thrown) {
    throw sourceError === undefined ? thrown : new SourceTrouble(sourceError);
  } finally {
    stop.abort();
    pipe.close();
    await reading;
  }
}
