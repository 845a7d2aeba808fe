/** Directories of the container that are the task's own, where it begins, and what runs after its command. */
import { AppError } from '../domain/failure.ts';
import type { Step, TaskSpec } from '../domain/task.ts';
import { fieldName } from './explain.ts';
import { TAKEN } from './parse-files.ts';
import type { WireTaskSpec } from './spec-schema.ts';
import { isAbsoluteClean } from './text-rules.ts';

/** @throws TASK_INVALID naming the field */
export function parseVolumes(volumes: string[] | undefined, where: string): string[] | undefined {
  return volumes?.map((path, index) => {
    const field = fieldName(['volumes', index], where);
    const clean = path.replace(/(.)\/+$/, '$1');
    if (!isAbsoluteClean(clean) || TAKEN.includes(clean) || clean.startsWith('/mnt/task/')) {
      refuse(field, 'must be an absolute path in the container that is not taken');
    }
    return clean;
  });
}

/** @throws TASK_INVALID naming the field */
export function parseWorkdir(path: string | undefined, field: string): string | undefined {
  if (path !== undefined && !isAbsoluteClean(path)) {
    refuse(field, 'must be an absolute path in the container, without ..');
  }
  return path;
}

/** What says no image runs in that of the task, what says no variables has those of the task. @throws TASK_INVALID naming the field */
export function parseThen(
  wire: WireTaskSpec['then'],
  task: Pick<TaskSpec, 'images' | 'env'>,
  where: string,
): Step[] | undefined {
  return wire?.map(({ image, command, env, workdir, goOn }, index) => {
    const field = fieldName(['then', index], where);
    const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
    if (argv[0] === '') refuse(`${field}.command`, 'is empty');
    return {
      image: image ?? task.images[0] ?? '',
      argv,
      env: env ?? task.env,
      workdir: parseWorkdir(workdir, `${field}.workdir`),
      ...(goOn === true && { goOn: true as const }),
    };
  });
}

function refuse(field: string, reason: string): never {
  throw new AppError('TASK_INVALID', `${field} ${reason}`, { context: { field } });
}
