/**
 * A task's volumes: directories of its container that are its own. Volume n stands in the attempt's directory as
 * `volumes/<n>`; one inside another is a directory in it. What the task says of paths in them is said as the container sees them.
 */
import { globBase, hasGlob } from './globs.ts';
import type { TaskSpec } from './task.ts';

export interface InVolume {
  /** Which of the volumes. */
  index: number;
  /** Below it; empty for the volume itself. */
  below: string;
}

/** Gives the volume an absolute path of the container lies in: the outermost. */
export function volumeOf(volumes: readonly string[], path: string): InVolume | undefined {
  let best: InVolume | undefined;
  for (const [index, volume] of volumes.entries()) {
    const isIn = path === volume || path.startsWith(`${volume}/`);
    const below = path.slice(volume.length + 1);
    if (isIn && (best === undefined || below.length > best.below.length)) best = { index, below };
  }
  return best;
}

/** Gives where in the attempt's directory a path of a volume is. */
export function volumePlace({ index, below }: InVolume): string {
  return below === '' ? `volumes/${index}` : `volumes/${index}/${below}`;
}

/** Gives those that are in no other, with where each is in the attempt's directory. */
export function outermost(volumes: readonly string[]): { target: string; place: string }[] {
  return volumes.flatMap((target, index) => {
    const at = volumeOf(volumes, target);
    return at?.index === index ? [{ target, place: volumePlace(at) }] : [];
  });
}

/** Gives the directories, in that of the attempt, that are there when the command starts: volumes, and in them what the task names. */
export function volumeDirectories(
  spec: Pick<TaskSpec, 'volumes' | 'workdir' | 'redirect' | 'then' | 'outputs'>,
): string[] {
  const { volumes = [], then = [], outputs } = spec;
  const named = [
    ...volumes,
    ...[spec, ...then].flatMap(({ workdir, redirect: { stdout, stderr } = {} }) => [
      ...(workdir === undefined ? [] : [workdir]),
      ...[stdout, stderr].flatMap((path) => (path ? [parentOf(path)] : [])),
    ]),
    ...outputs.map(({ pattern }) => (hasGlob(pattern) ? globBase(pattern) : parentOf(pattern))),
  ];
  const places = named.flatMap((path) => {
    const at = volumeOf(volumes, path);
    return at === undefined ? [] : [volumePlace(at)];
  });
  return [...new Set(places)];
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
