/** What the suites work with: a host behind its interface, and a directory on it. */
import { type AppError, toAppError } from '../../src/domain/failure.ts';
import type { Host } from '../../src/remote/host.ts';

export interface Bench {
  host: Host;
  dir: string;
  /** Output of a quick command. */
  sh(script: string): Promise<string>;
  /** Uploads the data from `offset` on. */
  put(data: Buffer, path: string, offset?: number): Promise<void>;
  fetch(path: string, size: number, offset?: number): Promise<Buffer>;
}

export const MIB = 1024 * 1024;

/** Bytes in pieces of a size that fits nothing. */
export async function* inPieces(data: Buffer, pieceBytes = 70_001): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += pieceBytes) yield data.subarray(at, at + pieceBytes);
}

/** The failure of a promise that must not resolve. */
export async function failureOf(work: Promise<unknown>): Promise<AppError> {
  try {
    await work;
  } catch (error) {
    return toAppError(error);
  }
  throw new Error('it resolved');
}

/** Makes the directory; whoever made the host removes both. */
export async function makeBench(host: Host): Promise<Bench> {
  const sh = async (script: string): Promise<string> =>
    (await host.run(script, { purpose: 'test' })).output;
  return {
    host,
    dir: await sh('printf %s "$(mktemp -d)"'),
    sh,
    put: (data, path, offset = 0) => host.upload(inPieces(data.subarray(offset)), path, { offset }),
    fetch: async (path, size, offset = 0) => {
      const chunks: Buffer[] = [];
      const write = async (chunk: Buffer): Promise<void> => void chunks.push(Buffer.from(chunk));
      await host.download({ path, size }, write, { offset });
      return Buffer.concat(chunks);
    },
  };
}
