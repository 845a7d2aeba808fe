/** Where a path of the container is on the host. Pure: what stands there is another question. */
import { posix } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import type { Bind } from '../../domain/task.ts';

const WORK = '/mnt/task/work';

export interface HostPath {
  /** The source of the mount. */
  root: string;
  /** Below it, without `..`; empty for the root itself. */
  relative: string;
}

/**
 * The mount that a path lies in, and the rest of it. A relative path begins at the work directory; of
 * several mounts the deepest counts, of equal ones the last, as in the container.
 * @throws REQUEST_INVALID for what belongs to the image
 */
export function hostPathOf(binds: readonly Bind[], path: string): HostPath {
  const wanted = posix.resolve(WORK, path);
  let best: Bind | undefined;
  for (const bind of binds) {
    const target = posix.resolve(bind.target);
    if (wanted !== target && !wanted.startsWith(target === '/' ? '/' : `${target}/`)) continue;
    if (best === undefined || target.length >= posix.resolve(best.target).length) best = bind;
  }
  if (best === undefined) {
    const targets = binds.map(({ target }) => target).join(', ');
    const text = `${wanted} is in the image, not in a directory of the task; those are: ${targets}`;
    throw new AppError('REQUEST_INVALID', text);
  }
  return { root: best.source, relative: posix.relative(posix.resolve(best.target), wanted) };
}
