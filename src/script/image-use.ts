/**
 * Who uses an image of the cache, for all who share it: beside it `.used.<image>.<daemon>`, touched by each
 * launch, and `.use.<image>.<daemon>.<token>`, which is there as long as the attempt's directory is and says
 * where that is. Both are written before the launch looks whether the image is there.
 */
import type { AttemptToken } from '../domain/task.ts';
import { safeName } from './layout.ts';
import { quote } from './quote.ts';

/** The file of an attempt that names its signs of use, one a line, so that they go with it. */
export const USE_FILE = 'image-use';

export interface ImageUse {
  /** Absolute, of a file of the cache. */
  path: string;
  daemonId: string;
  token: AttemptToken;
}

/** Absolute. */
export function signOfUse({ path, daemonId, token }: ImageUse): string {
  const { directory, base } = partsOf(path);
  return `${directory}/.use.${base}.${safeName(daemonId)}.${safeName(token)}`;
}

/** Lines that sign for the image; a cache that cannot be written is used all the same. `dir` and `T` are those of the launch. */
export function useLines(use: ImageUse): string[] {
  const { directory, base } = partsOf(use.path);
  const used = `${directory}/.used.${base}.${safeName(use.daemonId)}`;
  return [
    "machine='-' host=''",
    '[ -r /etc/machine-id ] && read -r machine </etc/machine-id',
    'read -r host </proc/sys/kernel/hostname',
    `{ echo >${quote(used)}; printf '%s\\n' "$machine $host $dir/$T" >${quote(signOfUse(use))}; } 2>/dev/null`,
  ];
}

function partsOf(path: string): { directory: string; base: string } {
  const slash = path.lastIndexOf('/');
  return { directory: path.slice(0, slash), base: path.slice(slash + 1).replace(/\.sif$/, '') };
}
