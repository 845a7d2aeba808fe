/** Files of a host as one stream of their bytes, one behind the other, that ends or fails in any case. */
import { AppError } from '../../domain/failure.ts';
import { sendFilesText } from '../../script/send-files.ts';
import type { Seat } from '../seats.ts';

/** Without one byte for so long the stream is given up. */
const STALL_MS = 60_000;

interface StreamJob {
  seat: Seat;
  purpose: string;
  signal: AbortSignal;
  /** The error for a stream that is not what was asked for. */
  broken: (why: string) => AppError;
}

/** What the host sends for these files, to its end. @throws SSH_* HOST_* and what `broken` makes */
export async function* streamFiles(
  { seat, purpose, signal, broken }: StreamJob,
  paths: readonly string[],
): AsyncGenerator<Buffer> {
  const text = sendFilesText(paths);
  const process = await seat.host.openProcess(text, { purpose, signal });
  const stalled = (): AppError => {
    const why = `${purpose}: no byte came from ${seat.name} within ${STALL_MS / 1000} s`;
    return new AppError('HOST_COMMAND_TIMEOUT', why, { context: { host: seat.name } });
  };
  const soon = <T>(work: Promise<T>): Promise<T> => inTime(work, { signal, stalled });
  let over = false;
  try {
    process.stdin.on('error', () => {});
    process.stdin.end();
    process.stderr.resume();
    const chunks = process.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const lost = process.ended.then(() => new Promise<never>(() => {}));
    lost.catch(() => {});
    // A stream that breaks off does not know why; the process does, a moment later.
    const brokenOff = async (): Promise<never> => {
      await process.ended;
      throw broken('it broke off');
    };
    for (;;) {
      const chunk = await soon(Promise.race([chunks.next().catch(brokenOff), lost]));
      if (chunk.done === true) break;
      yield chunk.value;
    }
    const code = await soon(process.ended);
    over = true;
    if (code !== 0) throw broken(`the host ended it with code ${code}`);
  } finally {
    if (!over) process.close();
  }
}

/** Settles like `work`, unless the signal comes first or nothing comes at all. */
function inTime<T>(
  work: Promise<T>,
  { signal, stalled }: { signal: AbortSignal; stalled: () => Error },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(stalled()), STALL_MS);
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    });
  });
}
