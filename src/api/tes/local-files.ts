/** Which files of the submit host a TES task may read and write: those below the roots, links on the way followed. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import { type Input, isLocalOutput, type Output, type TaskSpec } from '../../domain/task.ts';
import { decodedPath } from '../../protocol/tes/files.ts';

/** `any`: whoever asks may do as the user anyway. */
export type Roots = 'any' | readonly string[];

/** The task with its paths as they are on this machine. @throws TASK_INVALID for one that is not below a root */
export async function settleLocalFiles(spec: TaskSpec, roots: Roots): Promise<TaskSpec> {
  const real = roots === 'any' ? roots : await Promise.all(roots.map(realOrSame));
  const inputs = await Promise.all(
    spec.inputs.map((input, index) => settleInput(input, index, real)),
  );
  const outputs = await Promise.all(
    spec.outputs.map((output, index) => settleOutput(output, index, real)),
  );
  return { ...spec, inputs, outputs };
}

async function settleInput(input: Input, index: number, roots: Roots): Promise<Input> {
  const { source } = input;
  if (source.kind !== 'file' && source.kind !== 'directory') return input;
  const path = await meantInput(source.path);
  // where a link leads is asked here; a link that is changed later is the user's own
  const at = roots === 'any' ? path : await realpath(path).catch(() => realOfMissing(path));
  refuseOutside(at, roots, { field: `inputs[${index}].url`, path });
  const isDirectory = source.kind === 'directory' || (await isDirectoryAt(at));
  return { ...input, source: { kind: isDirectory ? 'directory' : 'file', path: at } };
}

async function settleOutput(output: Output, index: number, roots: Roots): Promise<Output> {
  if (!isLocalOutput(output)) return output;
  const local = await meantOutput(output.local);
  const at = roots === 'any' ? local : await realOfMissing(local);
  refuseOutside(at, roots, { field: `outputs[${index}].url`, path: local });
  return { ...output, local: at };
}

/** As it stands if that is there; else decoded, if that is. */
async function meantInput(path: string): Promise<string> {
  const decoded = decodedPath(path);
  if (decoded === undefined || (await exists(path)) || !(await exists(decoded))) return path;
  return decoded;
}

/** An output is not there yet: its directory says which spelling is meant. */
async function meantOutput(path: string): Promise<string> {
  const decoded = decodedPath(path);
  if (decoded === undefined || (await exists(dirname(path)))) return path;
  return (await exists(dirname(decoded))) ? decoded : path;
}

function refuseOutside(
  at: string,
  roots: Roots,
  { field, path }: { field: string; path: string },
): void {
  if (roots === 'any') return;
  if (roots.some((root) => at === root || at.startsWith(root === '/' ? '/' : `${root}/`))) return;
  const where = roots.length === 0 ? 'there are none' : `those are ${roots.join(', ')}`;
  throw new AppError('TASK_INVALID', `${field} ${path} is not below a root of [tes]: ${where}`, {
    context: { field },
  });
}

/** The nearest directory that is there, its links followed, and the rest. */
async function realOfMissing(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (path === '/' || (error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw unreadable(path, error);
    return join(await realOfMissing(dirname(path)), basename(path));
  }
}

function unreadable(path: string, cause: unknown): AppError {
  const why = `${path} cannot be looked at: ${(cause as Error).message}`;
  return new AppError('TASK_INVALID', why, { cause });
}

async function realOrSame(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isDirectoryAt(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
