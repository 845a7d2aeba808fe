/** What of a task's outputs another one can take: kept on its host, or delivered here. Pure. */
import { posix } from 'node:path';
import { AppError } from '../domain/failure.ts';
import { hasGlob } from '../domain/globs.ts';
import { isEnded, isStored, type KeptOutputs } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import type { DirectoryEntry } from '../remote/host.ts';
import { namedBelow } from './staging/named-below.ts';

/** Where a file of an output is. */
export interface TakenFile {
  kind: 'file';
  /** Below the target of the input; empty for the target itself. */
  relative: string;
  sha256: string;
  bytes: number;
  /** On a host, in the links of the attempt that made it. */
  kept?: { place: Omit<KeptOutputs, 'entries'>; mode: number } | undefined;
  /** Delivered to the submit host. */
  local?: string | undefined;
}

export type Taken = TakenFile | { kind: 'directory'; relative: string };

/**
 * The files that a path or pattern means among what the task left.
 * @throws STAGE_OUTPUT_MISSING when it left nothing of that name, or has not succeeded
 */
export async function takeOutput(task: Task, path: string): Promise<Taken[]> {
  const { state } = task;
  if (state.kind !== 'succeeded') throw missing(task, path, `is ${state.kind}`);
  const taken = (await fromKept(state.kept, path)) ?? (await fromDelivered(task, path));
  if (taken === undefined) throw missing(task, path, 'has left nothing of that name');
  return taken;
}

/**
 * What a task that is there already will not leave is refused.
 * @throws TASK_INVALID
 */
export function refuseNotKept({ id, spec, state }: Task, path: string): void {
  const patterns = [...(spec.share ?? []), ...spec.outputs.map(({ pattern }) => pattern)];
  if (isEnded(state) && state.kind !== 'succeeded') return;
  const covers = (pattern: string): boolean =>
    pattern === '.' || pattern === path || path.startsWith(`${pattern}/`) || hasGlob(pattern);
  if (patterns.some(covers)) return;
  const said = patterns.length === 0 ? 'nothing' : patterns.join(', ');
  throw new AppError(
    'TASK_INVALID',
    `workflow:///${id}/${path}: task ${id} shares ${said}; submit it with --share ${path}, or together with what takes it`,
    { context: { task: id } },
  );
}

async function fromKept(kept: KeptOutputs | undefined, path: string): Promise<Taken[] | undefined> {
  if (kept === undefined) return undefined;
  const { entries, ...place } = kept;
  const files = new Map(entries.map((entry) => [entry.path, entry]));
  const found = await namedBelow(path, listOf(entries));
  return found?.map((one): Taken => {
    const entry = files.get(one.path);
    if (entry?.kind !== 'file') return { kind: 'directory', relative: one.relative };
    const { sha256, mode, bytes } = entry;
    return { kind: 'file', relative: one.relative, sha256, bytes, kept: { place, mode } };
  });
}

async function fromDelivered(task: Task, path: string): Promise<Taken[] | undefined> {
  const all = isEnded(task.state) ? task.state.outputs : [];
  const outputs = all.filter((output) => !isStored(output));
  const files = new Map(outputs.map((output) => [relativeOf(output.remote), output]));
  const entries = [...files].map(([name, { bytes }]) => ({
    kind: 'file' as const,
    path: name,
    bytes,
  }));
  const found = await namedBelow(path, listOf(entries));
  return found?.map((one): Taken => {
    const output = files.get(one.path);
    if (output === undefined) return { kind: 'directory', relative: one.relative };
    const { sha256, bytes, local } = output;
    return { kind: 'file', relative: one.relative, sha256, bytes, local };
  });
}

/** `…/work/a/b` → `a/b`: the directory of an attempt has no other `work` before it. */
function relativeOf(remote: string): string {
  return /\/tasks\/[^/]+\/[^/]+\/work\/(.*)$/s.exec(remote)?.[1] ?? posix.basename(remote);
}

type Listed = { kind: 'file'; path: string; bytes: number } | { kind: 'directory'; path: string };

/** The entries as directories list them. */
function listOf(entries: readonly Listed[]): (directory: string) => Promise<DirectoryEntry[]> {
  const directories = new Map<string, Map<string, DirectoryEntry>>([['.', new Map()]]);
  const add = (path: string, entry: Pick<DirectoryEntry, 'kind' | 'size'>): void => {
    const parent = posix.dirname(path);
    if (!directories.has(parent)) {
      directories.set(parent, new Map());
      add(parent, { kind: 'directory', size: 0 });
    }
    const name = posix.basename(path);
    directories.get(parent)?.set(name, { name, mtimeMs: 0, mode: 0o700, ...entry });
  };
  for (const entry of entries) {
    if (entry.path === '.') continue;
    const size = entry.kind === 'file' ? entry.bytes : 0;
    add(entry.path, { kind: entry.kind, size });
    if (entry.kind === 'directory' && !directories.has(entry.path)) {
      directories.set(entry.path, new Map());
    }
  }
  return (directory) => {
    const names = directories.get(posix.normalize(directory === '' ? '.' : directory));
    return Promise.resolve([...(names?.values() ?? [])]);
  };
}

function missing({ id }: Task, path: string, why: string): AppError {
  return new AppError('STAGE_OUTPUT_MISSING', `workflow:///${id}/${path}: task ${id} ${why}`, {
    context: { producer: id },
  });
}
