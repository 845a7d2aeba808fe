/**
 * What a task gets on its stdin. A named file is passed by its path and read when it is staged; what
 * comes through our own stdin is taken now: up to 1 MiB goes with the task, more is left with the
 * daemon first, which owns it from then on.
 */
import { createReadStream, fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { INLINE_BYTES_MAX } from '../protocol/limits.ts';
import { isReference } from '../protocol/references.ts';
import type { WireTaskSpec } from '../protocol/spec-schema.ts';
import type { Call } from './call.ts';

type WireStdin = WireTaskSpec['stdin'];

export interface StdinWish {
  /** --stdin: a file, or `-` for our own. */
  option?: string | undefined;
  /** Without the option: take our own when it is a file or a FIFO, like any filter. */
  implicit: boolean;
}

const NOTICE_AFTER_MS = 2000;
const STDIN_FD = 0;

/** The stdin of the task, or undefined for none. */
export async function taskStdin(call: Call, wish: StdinWish): Promise<WireStdin> {
  if (wish.option !== undefined && wish.option !== '-') {
    const { option } = wish;
    return { path: isReference(option) ? option : resolve(call.io.cwd, option) };
  }
  if (wish.option === undefined && !(wish.implicit && isFileOrFifo())) return undefined;
  const notice = setTimeout(() => {
    const text = 'towline: reading stdin until its end (-n runs without it)\n';
    if (wish.option === undefined) void call.io.err.write(text).catch(() => {});
  }, NOTICE_AFTER_MS);
  try {
    return await takeAll(call, ownStdin());
  } finally {
    clearTimeout(notice);
  }
}

/** A terminal, /dev/null or a socket is what a program gets when nobody thought of its stdin. */
function isFileOrFifo(): boolean {
  try {
    const info = fstatSync(STDIN_FD);
    return info.isFile() || info.isFIFO();
  } catch {
    return false;
  }
}

/** A file is read from where it stands; `process.stdin` would begin there too but is slower. */
function ownStdin(): Readable {
  const isFile = fstatSync(STDIN_FD).isFile();
  return isFile ? createReadStream('', { fd: STDIN_FD, autoClose: false }) : process.stdin;
}

async function takeAll(call: Call, source: Readable): Promise<WireStdin> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const reader = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const next = await reader.next();
    if (next.done === true) break;
    chunks.push(next.value);
    bytes += next.value.length;
    if (bytes > INLINE_BYTES_MAX) {
      const client = await call.client();
      const { path } = await client.upload(Readable.from(chained(chunks, reader)));
      return { path };
    }
  }
  return { contentBase64: Buffer.concat(chunks).toString('base64') };
}

async function* chained(chunks: Buffer[], reader: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks.splice(0);
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    yield next.value;
  }
}
