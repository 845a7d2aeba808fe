/** Lists a remote directory. */
import type { FileEntryWithStats } from 'ssh2';
import { AppError } from '../../domain/failure.ts';
import { LIST_ENTRIES_MAX } from '../../domain/limits.ts';
import type { DirectoryEntry } from '../host.ts';
import { watchedElsewhere } from '../settle.ts';
import type { SftpSession } from './session.ts';
import { Window } from './window.ts';

const TYPE_MASK = 0o170000;
const KINDS: Readonly<Record<number, DirectoryEntry['kind']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
};

/** A server may go on for ever: names that are longer together than this are not listed. */
const NAMES_BYTES_MAX = 64 * 1024 * 1024;
/** Linux takes 255 bytes; others take more, none takes this much. */
const NAME_BYTES_MAX = 4096;
const EMPTY_REPLIES_MAX = 100;
const READ_AHEAD = 2;

/** The kind of a file by its mode bits. */
export function kindOf(mode: number): DirectoryEntry['kind'] {
  return KINDS[mode & TYPE_MASK] ?? 'other';
}

/**
 * Entries in the order of the server, without `.` and `..`.
 * @throws SFTP_* SSH_CONNECTION_LOST; OUTPUT_LIMIT
 */
export async function listDirectory(session: SftpSession, path: string): Promise<DirectoryEntry[]> {
  const directory = await session.openDirectory(path);
  const entries: DirectoryEntry[] = [];
  let bytes = 0;
  let empty = 0;
  // One answer ahead: what says that there are no more comes together with the last names.
  const window = new Window<FileEntryWithStats[] | undefined>(READ_AHEAD);
  try {
    for (;;) {
      while (!window.full) window.add(session.readDirectory(directory));
      const batch = await window.next();
      if (batch === undefined) return entries;
      if (batch.length === 0 && ++empty > EMPTY_REPLIES_MAX)
        throw tooMuch(path, 'it goes on without a name');
      for (const { filename, attrs } of batch) {
        if (filename === '.' || filename === '..') continue;
        bytes += filename.length;
        if (filename.length > NAME_BYTES_MAX) throw tooMuch(path, 'a name is too long');
        if (entries.length >= LIST_ENTRIES_MAX) throw listingTooLong(path);
        if (bytes > NAMES_BYTES_MAX) throw tooMuch(path, 'its names are too long together');
        const { size, mode, mtime } = attrs;
        entries.push({
          name: filename,
          kind: kindOf(mode),
          size,
          mode: mode & 0o7777,
          mtimeMs: mtime * 1000,
        });
      }
    }
  } finally {
    watchedElsewhere(session.close(directory));
  }
}

function tooMuch(path: string, why: string): AppError {
  return new AppError('SFTP_FAILED', `the listing of ${path} is given up: ${why}`, {
    context: { path },
  });
}

/** Said by every kind of host. */
export function listingTooLong(path: string): AppError {
  const text = `directory ${path} has more than ${LIST_ENTRIES_MAX} entries`;
  return new AppError('OUTPUT_LIMIT', text, { context: { path } });
}
