/** Which directories of its containers a task needs for its own. Pure. */
import { AppError } from '../../domain/failure.ts';
import type { TesTask } from './schema.ts';
import { hasWildcard, wildcardBase } from './wildcards.ts';

/** What an image lives by: a directory of ours over one of them would hide it. */
const OF_IMAGE =
  /^\/(?:|bin|boot|dev|etc|lib|lib32|lib64|libx32|opt|proc|run|sbin|sys|usr|var|usr\/(?:bin|lib|lib64|libexec|local|sbin|share)|usr\/local\/(?:bin|lib|sbin|share))$/;
/** A working directory here is one that the image has. */
const BELOW_IMAGE =
  /^\/(?:$|(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|opt|proc|run|sbin|sys|usr|var)(?:\/|$))/;
/** Programs expect to write where these say. */
const DIRECTORY_VARIABLES = ['HOME', 'TMPDIR'];

/**
 * Gives the directories: volumes, those that outputs and streams are written to, and those that commands begin in; an
 * input directory that holds one of them is one, too.
 * @throws TASK_INVALID for a file that cannot be written without hiding the image's own
 */
export function volumesOf(task: TesTask): string[] {
  const wanted = new Set(['/tmp', ...(task.volumes ?? []).map(refuseOfImage('volumes'))]);
  for (const [index, { workdir, stdout, stderr, env = {} }] of task.executors.entries()) {
    if (workdir !== undefined && !BELOW_IMAGE.test(workdir)) wanted.add(workdir);
    const field = `executors[${index}]`;
    if (stdout !== undefined) wanted.add(refuseOfImage(`${field}.stdout`)(parentOf(stdout)));
    if (stderr !== undefined) wanted.add(refuseOfImage(`${field}.stderr`)(parentOf(stderr)));
    for (const name of DIRECTORY_VARIABLES) {
      const path = env[name]?.replace(/\/+$/, '') ?? '';
      if (/^\/[^:]*$/.test(path) && !path.includes('..') && !BELOW_IMAGE.test(path))
        wanted.add(path);
    }
  }
  for (const [index, { path, type }] of (task.outputs ?? []).entries()) {
    const parent = hasWildcard(path) ? wildcardBase(path) : parentOf(path);
    const own = type === 'DIRECTORY' && OF_IMAGE.test(parent) ? path : parent;
    wanted.add(refuseOfImage(`outputs[${index}].path`)(own));
  }
  const volumes = [...wanted];
  const holding = (task.inputs ?? []).filter(
    ({ path, type }) =>
      type === 'DIRECTORY' && volumes.some((volume) => volume.startsWith(`${path}/`)),
  );
  return [...new Set([...volumes, ...holding.map(({ path }) => path)])];
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function refuseOfImage(field: string): (directory: string) => string {
  return (directory) => {
    if (!OF_IMAGE.test(directory)) return directory;
    const why = `${field}: ${directory} is a directory of the image, which would be hidden; write below another one`;
    throw new AppError('TASK_INVALID', why, { context: { field } });
  };
}
