/** The process as commands see it: two sinks with backpressure, the environment, the directory. */
import { homedir, userInfo } from 'node:os';

export interface Sink {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows?: number | undefined;
  /** Calls back on every change of the size, until the returned function is called. */
  onResize?: ((listener: () => void) => () => void) | undefined;
  /** Resolves when the bytes were handed on. @throws BrokenPipe when nobody reads any more */
  write(chunk: string | Uint8Array): Promise<void>;
}

export interface Io {
  out: Sink;
  err: Sink;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  home: string;
  user: string;
}

/** Nobody reads what we print: end quietly, as a program that gets SIGPIPE. */
export class BrokenPipe extends Error {}

const COLUMNS_DEFAULT = 100;

/** The streams and surroundings of this process. */
export function processIo(): Io {
  return {
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    home: process.env['HOME'] || homedir(),
    user: process.env['USER'] || userName(),
  };
}

/** A sink over a stream of the process. Its pipes do not block, so that signals are heard meanwhile. */
export function sinkOf(stream: NodeJS.WriteStream): Sink {
  // Each write reports its own failure; without a listener the same failure would end the process.
  stream.on('error', () => {});
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      // some terminals say 0
      return stream.columns || COLUMNS_DEFAULT;
    },
    get rows() {
      return stream.rows || undefined;
    },
    onResize(listener) {
      stream.on('resize', listener);
      return () => stream.off('resize', listener);
    },
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(isPipeError(error) ? new BrokenPipe('nobody reads') : error);
        });
      }),
  };
}

function isPipeError(error: NodeJS.ErrnoException): boolean {
  return ['EPIPE', 'ERR_STREAM_DESTROYED', 'EIO', 'ECONNRESET'].includes(error.code ?? '');
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
