/** Where on its host an output is looked for. Pure. */
import { posix } from 'node:path';
import type { LocalOutput } from '../../domain/task.ts';
import { volumeOf, volumePlace } from '../../domain/volumes.ts';

/** The directory on the host that holds an output, and the output as it is said below that. */
export function treeOf(
  volumes: readonly string[],
  workDir: string,
  output: LocalOutput,
): { tree: string; inTree: LocalOutput } {
  const at = output.pattern.startsWith('/') ? volumeOf(volumes, output.pattern) : undefined;
  if (at === undefined) return { tree: workDir, inTree: output };
  const tree = posix.join(posix.dirname(workDir), volumePlace({ index: at.index, below: '' }));
  const inTree = { ...output, pattern: at.below || '.' };
  const { prefix } = output;
  const volume = volumes[at.index] ?? '';
  if (prefix === undefined) return { tree, inTree };
  if (!volume.startsWith(prefix)) {
    return { tree, inTree: { ...inTree, prefix: volumeOf([volume], prefix)?.below } };
  }
  const local = posix.join(output.local, volume.slice(prefix.length));
  return { tree, inTree: { ...inTree, prefix: '', local } };
}
