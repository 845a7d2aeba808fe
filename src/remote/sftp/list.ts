/** Lists a remote directory. */
import { AppError } from '../../domain/failure.ts';
import type { DirectoryEntry } from '../host.ts';
import { watchedElsewhere } from '../settle.ts';
import type { SftpSession } from './session.ts';

const TYPE_MASK = 0o170000;
const KINDS: Readonly<Record<number, DirectoryEntry['kind']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
};

/** A server may go on for ever: more than this in one directory is not listed. */
const ENTRIES_MAX = 500_000;
const NAMES_BYTES_MAX = 64 * 1024 * 1024;
/** Linux takes 255 bytes; others take more, none takes this much. */
const NAME_BYTES_MAX = 4096;
const EMPTY_REPLIES_MAX = 100;

/** The kind of a file by its mode bits. */
export function kindOf(mode: number): DirectoryEntry['kind'] {
  return KINDS[mode & TYPE_MASK] ?? 'other';
}

/**
 * Entries in the order of the server, without `.` and `..`.
 * @throws SFTP_* SSH_CONNECTION_LOST
 */
export async function listDirectory(session: SftpSession, path: string): Promise<DirectoryEntry[]> {
  const directory = await session.openDirectory(path);
  const entries: DirectoryEntry[] = [];
  let bytes = 0;
  let empty = 0;
  try {
    for (;;) {
      const batch = await session.readDirectory(directory);
      if (batch === undefined) return entries;
      if (batch.length === 0 && ++empty > EMPTY_REPLIES_MAX)
        throw tooMuch(path, 'it goes on without a name');
      for (const { filename, attrs } of batch) {
        if (filename === '.' || filename === '..') continue;
        bytes += filename.length;
        if (filename.length > NAME_BYTES_MAX) throw tooMuch(path, 'a name is too long');
        if (entries.length >= ENTRIES_MAX || bytes > NAMES_BYTES_MAX)
          throw tooMuch(path, `it goes on after ${entries.length} entries`);
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
