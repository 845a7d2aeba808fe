/** Reads OpenSSH client configuration files, with what they include. Each file is read once per load. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { type Line, type Note, readLines } from './lines.ts';

/** No configuration is as long as this. */
const FILE_BYTES_MAX = 1_048_576;

export interface OpensshFile {
  lines: readonly Line[];
  notes: readonly Note[];
}

export interface OpensshFiles {
  /** A file that is not there is empty. */
  read(path: string): OpensshFile;
  /** The files an Include of `from` names, in order; patterns are expanded. */
  included(pattern: string, from: string): string[];
}

const NOTHING: OpensshFile = { lines: [], notes: [] };
const SYSTEM_DIRECTORY = '/etc/ssh';

export function openOpensshFiles(home: string): OpensshFiles {
  const known = new Map<string, OpensshFile>();
  return {
    read(path) {
      const file = known.get(path) ?? readFile(path);
      known.set(path, file);
      return file;
    },
    included(pattern, from) {
      const expanded = pattern.replace(/^~(?=\/|$)/, () => home);
      const base = isOfSystem(from) ? SYSTEM_DIRECTORY : join(home, '.ssh');
      const path = isAbsolute(expanded) ? expanded : join(base, expanded);
      if (!/[*?[]/.test(path)) return [path];
      // As glob(3): names that begin with a dot are not found by *.
      const hidden = basename(path).startsWith('.');
      return globSync(path)
        .filter((name) => hidden || !basename(name).startsWith('.'))
        .toSorted();
    },
  };
}

function isOfSystem(path: string): boolean {
  return path.startsWith(`${SYSTEM_DIRECTORY}/`);
}

function readFile(path: string): OpensshFile {
  const refused = (what: string): OpensshFile => ({
    lines: [],
    notes: [{ place: { file: path, line: 0 }, what: `${what}; it is not used` }],
  });
  try {
    const { mode, uid, size } = statSync(path);
    // Whoever can write here can lead logins elsewhere; ssh refuses such a file, too.
    const foreign = uid !== 0 && uid !== process.getuid?.();
    if (!isOfSystem(path) && (foreign || (mode & 0o022) !== 0)) {
      return refused('somebody else owns this file or may write it');
    }
    if (size > FILE_BYTES_MAX) return refused(`is longer than ${FILE_BYTES_MAX} bytes`);
    return readLines(path, readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? NOTHING
      : refused(`cannot be read: ${message}`);
  }
}
