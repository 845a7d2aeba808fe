/** Lists a remote directory. */
import type { DirectoryEntry } from '../host.ts';
import { watchedElsewhere } from '../settle.ts';
import type { SftpSession } from './session.ts';

const TYPE_MASK = 0o170000;
const KINDS: Readonly<Record<number, DirectoryEntry['kind']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
};

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
  try {
    for (;;) {
      const batch = await session.readDirectory(directory);
      if (batch === undefined) return entries;
      for (const { filename, attrs } of batch) {
        if (filename === '.' || filename === '..') continue;
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
