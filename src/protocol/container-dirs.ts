/** The task's own directories in the container, and paths below the one it works in. */
import { AppError } from '../domain/failure.ts';
import { hasDots } from './text-rules.ts';

export const WORK_DIR = '/mnt/task/work';
export const INPUTS_DIR = '/mnt/task/inputs';

/** A path or pattern relative to the work directory, `.` for all of it. @throws TASK_INVALID naming the field */
export function workPattern(path: string, field: string): string {
  const inside = path.startsWith(`${WORK_DIR}/`) ? path.slice(WORK_DIR.length + 1) : path;
  const clean = inside
    .replace(/^\.\//, '')
    .replaceAll(/\/{2,}/g, '/')
    .replace(/\/$/, '');
  if (clean === '.' || path === WORK_DIR) return '.';
  if (clean === '' || clean.startsWith('/') || hasDots(clean)) {
    const reason = `must be a path below ${WORK_DIR}, without ..`;
    throw new AppError('TASK_INVALID', `${field} ${reason}`, { context: { field } });
  }
  return clean;
}
