/** Writes bytes into a remote file with many requests under way; each acknowledgement is checked. */
import { AppError } from '../../domain/failure.ts';
import type { TransferOptions } from '../host.ts';
import { refuseAborted, watchedElsewhere, withSignal } from '../settle.ts';
import { Pace } from './pace.ts';
import { rechunk } from './rechunk.ts';
import type { RemoteFile, SftpSession } from './session.ts';
import { Window, WRITES_UNDER_WAY } from './window.ts';

const WRITE_CREATE = 0x02 | 0x08;
const TRUNCATE = 0x10;

/**
 * Fills `target` from `offset` on. Progress counts bytes that are acknowledged without a gap, so it
 * is a place from which an interrupted upload can be resumed.
 * @throws SFTP_* SSH_CONNECTION_LOST HOST_CALL_ABORTED
 */
export async function uploadTo(
  session: SftpSession,
  work: { source: AsyncIterable<Uint8Array>; target: string; now: () => number },
  options: TransferOptions,
): Promise<void> {
  const { offset = 0, signal } = options;
  refuseAborted(signal);
  const file = await withSignal(openAt(session, work.target, offset), signal);
  try {
    await withSignal(send({ session, file, ...work }, options), signal);
  } catch (error) {
    watchedElsewhere(session.close(file));
    throw error;
  }
  // Some servers report a full disk only here.
  await session.close(file);
}

async function openAt(session: SftpSession, target: string, offset: number): Promise<RemoteFile> {
  const file = await session.open(target, offset === 0 ? WRITE_CREATE | TRUNCATE : WRITE_CREATE);
  if (offset === 0) return file;
  const { size } = await session.fileStat(file);
  if (size < offset) {
    watchedElsewhere(session.close(file));
    const message = `SFTP: upload to ${target} cannot go on at ${offset}: the file has ${size} bytes`;
    throw new AppError('SFTP_FAILED', message, { context: { path: target } });
  }
  await session.truncate(file, offset);
  return file;
}

interface Sending {
  session: SftpSession;
  file: RemoteFile;
  source: AsyncIterable<Uint8Array>;
  now: () => number;
}

async function send(sending: Sending, options: TransferOptions): Promise<void> {
  const { session, file, source, now } = sending;
  const pace = new Pace(session.maxWrite, now);
  const window = new Window<number>(WRITES_UNDER_WAY);
  let position = options.offset ?? 0;
  let done = position;
  const acknowledge = async (): Promise<void> => {
    const bytes = await window.next();
    done += bytes;
    pace.answered(bytes);
    options.onProgress?.(done);
  };
  for await (const chunk of rechunk(source, () => pace.requestBytes)) {
    refuseAborted(options.signal);
    if (window.full) await acknowledge();
    window.add(session.write(file, chunk, position).then(() => chunk.length));
    position += chunk.length;
  }
  while (!window.empty) await acknowledge();
}
