/** Values of the runtime's `--mount` option, which it reads as one line of CSV. */
import { AppError } from '../domain/failure.ts';
import type { Bind } from '../domain/task.ts';

/**
 * Gives the value of `--mount` for a bind; commas, quotes, colons, spaces, `$` and newlines in paths
 * arrive as they are. Not quoted for the shell.
 * @throws TASK_INVALID on a path that is not absolute, or that holds a NUL or a carriage return.
 */
export function mountOption(bind: Bind): string {
  const fields = ['type=bind', `src=${checked(bind.source)}`, `dst=${checked(bind.target)}`];
  return [...fields.map(csvField), ...(bind.readonly ? ['ro'] : [])].join(',');
}

/** A field is quoted whole: the runtime's reader takes quotes only around all of `src=…`. */
function csvField(field: string): string {
  return /[^A-Za-z0-9_./=+@%^~-]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function checked(path: string): string {
  // The runtime's CSV reader turns \r\n into \n, so a carriage return would not arrive.
  if (!path.startsWith('/') || /[\0\r]/.test(path)) {
    throw new AppError('TASK_INVALID', `bind: not a usable absolute path: ${JSON.stringify(path)}`);
  }
  return path;
}
