/** File operations of a host on this machine, with the promises and errors of the interface. */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { LIST_ENTRIES_MAX } from '../../domain/limits.ts';
import { classifyFile } from '../classify.ts';
import type { DirectoryEntry, TransferOptions } from '../host.ts';
import { refuseAborted } from '../settle.ts';
import { kindOf, listingTooLong } from '../sftp/list.ts';

const CHUNK_BYTES = 256 * 1024;

/** @throws SFTP_NOT_FOUND SFTP_DENIED SFTP_FAILED */
export function readRangeOf(
  path: string,
  { offset, room }: { offset: number; room: Buffer },
  context: ErrorContext,
): Promise<Buffer> {
  return speaking(`read ${path}`, context, async () => {
    await using file = await openRegular(path, context);
    return await readFully(file, offset, room);
  });
}

/** @throws SFTP_NOT_FOUND SFTP_DENIED SFTP_FAILED */
export function listOf(path: string, context: ErrorContext): Promise<DirectoryEntry[]> {
  return speaking(`list ${path}`, context, async () => {
    const entries: DirectoryEntry[] = [];
    for await (const { name } of await opendir(path)) {
      if (entries.length >= LIST_ENTRIES_MAX) throw listingTooLong(path);
      const { size, mode, mtimeMs } = await lstat(join(path, name));
      entries.push({ name, kind: kindOf(mode), size, mode: mode & 0o7777, mtimeMs });
    }
    return entries;
  });
}

/** @throws SFTP_* HOST_NO_SPACE HOST_CALL_ABORTED */
export function writeTo(
  work: { source: AsyncIterable<Uint8Array>; target: string; context: ErrorContext },
  options: TransferOptions,
): Promise<void> {
  const { source, target, context } = work;
  const { offset = 0, signal, onProgress } = options;
  return speaking(`write ${target}`, context, async () => {
    refuseAborted(signal);
    await using file = await open(target, constants.O_WRONLY | constants.O_CREAT, 0o600);
    const { size } = await file.stat();
    if (size < offset) {
      const message = `upload to ${target} cannot go on at ${offset}: the file has ${size} bytes`;
      throw new AppError('SFTP_FAILED', message, { context });
    }
    await file.truncate(offset);
    let position = offset;
    for await (const chunk of source) {
      refuseAborted(signal);
      await writeFully(file, chunk, position);
      position += chunk.byteLength;
      onProgress?.(position);
    }
  });
}

interface Reading {
  path: string;
  size: number;
  write: (chunk: Buffer) => Promise<void>;
  context: ErrorContext;
}

/** @throws SFTP_* HOST_CALL_ABORTED, and whatever `write` throws */
export async function readInto(reading: Reading, options: TransferOptions): Promise<void> {
  const { path, size, write, context } = reading;
  const { offset = 0, signal, onProgress } = options;
  const what = `read ${path}`;
  refuseAborted(signal);
  await using file = await speaking(what, context, () => openRegular(path, context));
  for (let position = offset; position < size; ) {
    refuseAborted(signal);
    const length = Math.min(CHUNK_BYTES, size - position);
    const chunk = await speaking(what, context, () =>
      readFully(file, position, Buffer.allocUnsafe(length)),
    );
    // whoever writes it may move it elsewhere
    const came = chunk.length;
    if (came > 0) await write(chunk);
    position += came;
    onProgress?.(position);
    if (came < length) return;
  }
}

/** Without O_NONBLOCK the opening of a FIFO would never come back. */
async function openRegular(path: string, context: ErrorContext): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new AppError('SFTP_FAILED', `read ${path}: it is not a regular file`, { context });
}

async function readFully(file: FileHandle, offset: number, room: Buffer): Promise<Buffer> {
  let have = 0;
  while (have < room.length) {
    const { bytesRead } = await file.read(room, have, room.length - have, offset + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return room.subarray(0, have);
}

/** One write may take only a part, without an error, on a disk that is nearly full. */
async function writeFully(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < data.byteLength) {
    const rest = data.byteLength - written;
    const { bytesWritten } = await file.write(data, written, rest, position + written);
    written += bytesWritten;
  }
}

async function speaking<T>(
  what: string,
  context: ErrorContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw classifyFile(error, { what, context });
  }
}
