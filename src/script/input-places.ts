/**
 * Where staged inputs stand in the attempt's directory and how they are mounted. Relative targets
 * form one tree, `inputs/`, mounted read-only at /mnt/task/inputs. Absolute targets get a mount each
 * from `mounts/<i>`, all files below an absolute directory sharing its mount, but what belongs in a volume stands there. A path that is on the
 * host already is mounted from where it is.
 */
import { AppError } from '../domain/failure.ts';
import type { StagedFile } from '../domain/state.ts';
import type { Bind } from '../domain/task.ts';
import { volumeOf, volumePlace } from '../domain/volumes.ts';

export const INPUTS_TARGET = '/mnt/task/inputs';

/** What the launch puts at a place: a link to an object, a copy of one, a directory, or an empty thing to mount over. */
export type Place =
  | { kind: 'object'; place: string; sha256: string; mode: number }
  | { kind: 'copy'; place: string; sha256: string; mode: number }
  | { kind: 'directory'; place: string }
  | { kind: 'stub'; place: string; path: string }
  | { kind: 'seen'; path: string };

export interface InputPlan {
  /** In the order in which they can be made: a directory before what stands in it. */
  places: Place[];
  /** In the order in which they must be mounted. `source` is relative to the attempt's directory or absolute. */
  mounts: Bind[];
}

/**
 * In a volume the task may do as it likes, but objects are shared: smaller ones are copied, the task's own; larger ones
 * are shown read-only over their link.
 */
const COPIED_BYTES_MAX = 1024 * 1024;

/** Plans places and mounts of staged inputs. @throws TASK_INVALID on a target that leaves the tree or collides. */
export function placeInputs(
  files: readonly StagedFile[],
  volumes: readonly string[] = [],
): InputPlan {
  const sorted = files.map((file) => ({ ...file, target: normalised(file.target) }));
  sorted.sort((a, b) => (a.target < b.target ? -1 : Number(a.target > b.target)));
  refuseTwins(sorted);
  const plan: InputPlan = { places: [], mounts: [] };
  const relative = sorted.filter((file) => !file.target.startsWith('/'));
  const absolute: StagedFile[] = [];
  for (const file of sorted.filter(({ target }) => target.startsWith('/'))) {
    const at = volumeOf(volumes, file.target);
    if (at === undefined) absolute.push(file);
    else addToVolume(plan, file, volumePlace(at));
  }
  if (relative.length > 0)
    plan.mounts.push({ source: 'inputs', target: INPUTS_TARGET, readonly: true });
  for (const file of relative) addTo(plan, file, `inputs/${file.target}`);
  for (const [index, root] of topmost(absolute).entries()) {
    const source = root.kind === 'remote' ? root.path : `mounts/${index}`;
    plan.mounts.push({ source, target: root.target, readonly: true });
    if (root.kind === 'remote') plan.places.push({ kind: 'seen', path: root.path });
    else addTo(plan, root, source);
    for (const file of absolute.filter((other) => isBelow(other, root))) {
      addTo(plan, file, source + file.target.slice(root.target.length));
    }
  }
  return plan;
}

function addTo(plan: InputPlan, file: StagedFile, place: string): void {
  if (file.kind === 'object') {
    plan.places.push({ kind: 'object', place, sha256: file.sha256, mode: file.mode });
  } else if (file.kind === 'directory') {
    plan.places.push({ kind: 'directory', place });
  } else {
    const target = file.target.startsWith('/') ? file.target : `${INPUTS_TARGET}/${file.target}`;
    plan.places.push({ kind: 'stub', place, path: file.path });
    plan.mounts.push({ source: file.path, target, readonly: true });
  }
}

function addToVolume(plan: InputPlan, file: StagedFile, place: string): void {
  if (file.kind !== 'object') return addTo(plan, file, place);
  const { sha256, mode, bytes, target } = file;
  const copied = bytes <= COPIED_BYTES_MAX;
  plan.places.push({ kind: copied ? 'copy' : 'object', place, sha256, mode });
  if (!copied) plan.mounts.push({ source: place, target, readonly: true });
}

/** Those that no other absolute directory contains. */
function topmost(files: StagedFile[]): StagedFile[] {
  return files.filter((file) => !files.some((root) => isBelow(file, root)));
}

function isBelow(file: StagedFile, root: StagedFile): boolean {
  return root.kind === 'directory' && file.target.startsWith(`${root.target}/`);
}

function normalised(target: string): string {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  // An absolute target may become a mount of its own, which cannot carry a carriage return.
  const mounted = target.startsWith('/') && target.includes('\r');
  if (parts.length === 0 || parts.includes('..') || target.includes('\0') || mounted) {
    throw new AppError('TASK_INVALID', `inputs: not a usable target: ${JSON.stringify(target)}`);
  }
  return (target.startsWith('/') ? '/' : '') + parts.join('/');
}

/** Two inputs may share a directory, nothing else; below a file or a path of the host nothing can stand. */
function refuseTwins(files: StagedFile[]): void {
  const kinds = new Map<string, StagedFile['kind']>();
  for (const { target, kind } of files) {
    const before = kinds.get(target);
    if (before !== undefined && !(before === 'directory' && kind === 'directory')) {
      throw collision(`two inputs have the target ${JSON.stringify(target)}`);
    }
    kinds.set(target, kind);
  }
  for (const target of kinds.keys()) {
    for (let end = target.lastIndexOf('/'); end > 0; end = target.lastIndexOf('/', end - 1)) {
      const above = kinds.get(target.slice(0, end)) ?? 'directory';
      if (above !== 'directory') {
        throw collision(`${JSON.stringify(target)} is below another input that is no directory`);
      }
    }
  }
}

function collision(why: string): AppError {
  return new AppError('TASK_INVALID', `inputs: ${why}`);
}
