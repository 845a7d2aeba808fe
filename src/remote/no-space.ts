/**
 * Finds out whether a write failed for want of space. SFTP has no word for it: a full disk, a full
 * quota and a broken file system all arrive as FAILURE.
 */
import { posix } from 'node:path';
import { AppError } from '../domain/failure.ts';
import type { Host } from './host.ts';
import type { SftpSession } from './sftp/session.ts';

/** Below this a file system counts as full whatever it says. */
const NEARLY_FULL_BYTES = 1024 * 1024;

interface FailedWrite {
  error: AppError;
  target: string;
  session: SftpSession;
  run: Host['run'];
}

/** The failure itself, or HOST_NO_SPACE where the host says so. Never throws. */
export async function explainFailedWrite(failed: FailedWrite): Promise<AppError> {
  const { error, target, session } = failed;
  if (error.code !== 'SFTP_FAILED') return error;
  const reason = (await tooLittleFree(session, target)) ?? (await probe(failed));
  if (reason === undefined) return error;
  const context = { ...error.context, path: target };
  return new AppError('HOST_NO_SPACE', `write ${target} on ${error.context['host']}: ${reason}`, {
    context,
    cause: error,
  });
}

async function tooLittleFree(session: SftpSession, target: string): Promise<string | undefined> {
  const free = await session.freeBytes(posix.dirname(target));
  if (free === undefined || free >= NEARLY_FULL_BYTES) return undefined;
  return `No space left on device (${free} bytes free)`;
}

/** A full quota shows free space; only a write tells, and only the shell repeats its words. */
async function probe({ target, run }: FailedWrite): Promise<string | undefined> {
  const file = `'${`${target}.probe`.replaceAll("'", `'\\''`)}'`;
  const script = `LC_ALL=C; export LC_ALL
dd if=/dev/zero of=${file} bs=65536 count=4 2>&1
rm -f -- ${file}`;
  try {
    const { output } = await run(script, { purpose: `probe for space at ${target}` });
    return /No space left on device|[Qq]uota exceeded/.exec(output)?.[0];
  } catch {
    return undefined;
  }
}
