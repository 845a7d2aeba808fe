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
 * Fills the room with what is at `offset`; gives the part of it that was filled, shorter only at the end of the file. When
 * it settles nobody writes to the room any more.
 * @throws SFTP_* SSH_CONNECTION_LOST
 */
export async function readRangeFrom(
  session: SftpSession,
  path: string,
  { offset, room }: { offset: number; room: Buffer },
): Promise<Buffer> {
  const file = await session.open(path, READ);
  const window = new Window<number>(READS_UNDER_WAY);
  const parts = pieces(0, room.length, () => session.maxRead);
  const ask = ({ position, length }: Piece): Promise<number> =>
    fill({ session, file }, offset + position, room.subarray(position, position + length));
  let filled = 0;
  try {
    let next = parts.next();
    while (!next.done || !window.empty) {
      while (!next.done && !window.full) {
        window.add(ask(next.value));
        next = parts.next();
      }
      const count = await window.next();
      filled += count;
      if (count < session.maxRead) break;
    }
  } finally {
    await window.settled();
    watchedElsewhere(session.close(file));
  }
  return room.subarray(0, filled);
}

/** Opening a FIFO would block the SFTP server and everything behind it. */
async function refuseIrregular(session: SftpSession, path: string): Promise<void> {
  const { mode } = await session.linkStat(path);
  if ((mode & TYPE_MASK) === REGULAR) return;
  const message = `SFTP: download of ${path}: it is not a regular file`;
  throw new AppError('SFTP_FAILED', message, { context: { path } });
}

interface Source {
  session: SftpSession;
  file: RemoteFile;
}

interface Receiving extends Source {
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
      window.add(readFully({ session, file }, piece).then((chunk) => ({ piece, chunk })));
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

async function readFully(source: Source, { position, length }: Piece): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(length);
  return chunk.subarray(0, await fill(source, position, chunk));
}

/** A server may answer with less than was asked; only an empty answer is the end of the file. */
async function fill({ session, file }: Source, position: number, room: Buffer): Promise<number> {
  let have = 0;
  while (have < room.length) {
    const count = await session.read(file, position + have, room.subarray(have));
    if (count === 0) break;
    have += count;
  }
  return have;
}
