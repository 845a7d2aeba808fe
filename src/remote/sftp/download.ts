/** Reads a remote file with many requests under way and hands its bytes over in order. */
import { AppError } from '../../domain/failure.ts';
import type { TransferOptions } from '../host.ts';
import { refuseAborted, watchedElsewhere, withSignal } from '../settle.ts';
import { Pace } from './pace.ts';
import type { RemoteFile, SftpSession } from './session.ts';
import { READS_UNDER_WAY, Window } from './window.ts';

const READ = 0x01;
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;

export interface Reading {
  path: string;
  size: number;
  write: (chunk: Buffer) => Promise<void>;
  now: () => number;
}

/**
 * Downloads the bytes from `offset` to `size`, or to the end of the file if that comes first.
 * @throws SFTP_* SSH_CONNECTION_LOST HOST_CALL_ABORTED, and whatever `write` throws
 */
export async function downloadFrom(
  session: SftpSession,
  reading: Reading,
  options: TransferOptions,
): Promise<void> {
  const { signal } = options;
  refuseAborted(signal);
  await withSignal(refuseIrregular(session, reading.path), signal);
  const file = await withSignal(session.open(reading.path, READ), signal);
  try {
    await receive({ session, file, reading }, options);
  } finally {
    watchedElsewhere(session.close(file));
  }
}

/**
 * Up to `length` bytes at `offset`; shorter only at the end of the file.
 * @throws SFTP_* SSH_CONNECTION_LOST
 */
export async function readRangeFrom(
  session: SftpSession,
  path: string,
  range: { offset: number; length: number },
): Promise<Buffer> {
  const file = await session.open(path, READ);
  const chunks: Buffer[] = [];
  const end = range.offset + range.length;
  try {
    const window = new Window<Buffer>(READS_UNDER_WAY);
    const parts = pieces(range.offset, end, () => session.maxRead);
    let next = parts.next();
    while (!next.done || !window.empty) {
      while (!next.done && !window.full) {
        window.add(readFully(session, file, next.value));
        next = parts.next();
      }
      const chunk = await window.next();
      if (chunk.length > 0) chunks.push(chunk);
      if (chunk.length < session.maxRead) break;
    }
  } finally {
    watchedElsewhere(session.close(file));
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Opening a FIFO would block the SFTP server and everything behind it. */
async function refuseIrregular(session: SftpSession, path: string): Promise<void> {
  const { mode } = await session.linkStat(path);
  if ((mode & TYPE_MASK) === REGULAR) return;
  const message = `SFTP: download of ${path}: it is not a regular file`;
  throw new AppError('SFTP_FAILED', message, { context: { path } });
}

interface Receiving {
  session: SftpSession;
  file: RemoteFile;
  reading: Reading;
}

interface Piece {
  position: number;
  length: number;
}

async function receive(receiving: Receiving, options: TransferOptions): Promise<void> {
  const { session, file, reading } = receiving;
  const { offset = 0, signal, onProgress } = options;
  const pace = new Pace(session.maxRead, reading.now);
  const window = new Window<{ piece: Piece; chunk: Buffer }>(READS_UNDER_WAY);
  const parts = pieces(offset, reading.size, () => pace.requestBytes);
  let next = parts.next();
  while (!next.done || !window.empty) {
    while (!next.done && !window.full) {
      const piece = next.value;
      window.add(readFully(session, file, piece).then((chunk) => ({ piece, chunk })));
      next = parts.next();
    }
    const { piece, chunk } = await withSignal(window.next(), signal);
    // whoever writes it may move it elsewhere
    const { length } = chunk;
    if (length > 0) await reading.write(chunk);
    pace.answered(length);
    onProgress?.(piece.position + length);
    if (length < piece.length) return;
  }
}

function* pieces(from: number, to: number, size: () => number): Generator<Piece, undefined> {
  for (let position = from; position < to; ) {
    const length = Math.min(size(), to - position);
    yield { position, length };
    position += length;
  }
  return undefined;
}

/** A server may answer with less than was asked; only an empty answer is the end of the file. */
async function readFully(session: SftpSession, file: RemoteFile, piece: Piece): Promise<Buffer> {
  const first = await session.read(file, piece.position, piece.length);
  if (first.length === piece.length || first.length === 0) return first;
  const chunks = [first];
  let have = first.length;
  while (have < piece.length) {
    const more = await session.read(file, piece.position + have, piece.length - have);
    if (more.length === 0) break;
    chunks.push(more);
    have += more.length;
  }
  return Buffer.concat(chunks);
}
