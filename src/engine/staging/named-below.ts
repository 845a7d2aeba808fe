/** What a path or pattern below a work directory means, for inputs that are made of it. */
import { posix } from 'node:path';
import { globBase, hasGlob } from '../../domain/globs.ts';
import type { DirectoryEntry } from '../../remote/host.ts';
import { matchOutput } from './match-outputs.ts';

export interface Named {
  kind: 'file' | 'directory';
  /** Below the work directory; `.` for that itself. */
  path: string;
  /** Below the file or directory named, or the directory where the pattern begins; empty for that itself. */
  relative: string;
  /** 0 for a directory. */
  bytes: number;
}

/** Undefined when there is nothing of that name; links and special files are passed over. @throws as matchOutput */
export async function namedBelow(
  path: string,
  list: (directory: string) => Promise<DirectoryEntry[]>,
  passOver: (names: string[]) => void = () => {},
): Promise<Named[] | undefined> {
  const base = hasGlob(path) ? globBase(path) : path;
  // without a slash at its end it is the name itself of what is found
  const found = await matchOutput({ pattern: path, local: '/.', overwrite: false }, list);
  if (found === undefined) return undefined;
  if (found.passedOver.length > 0) passOver(found.passedOver);
  const below = (local: string): string => posix.relative('/', local);
  const directories = found.directories.map((local): Named => {
    const relative = below(local);
    return { kind: 'directory', path: posix.join(base, relative), relative, bytes: 0 };
  });
  const files = found.files.map(
    ({ relative, local, size }): Named => ({
      ...{ kind: 'file', path: relative, relative: below(local), bytes: size },
    }),
  );
  return [...directories, ...files];
}
