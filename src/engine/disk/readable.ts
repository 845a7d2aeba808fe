/** What keeps a local input from being read, told as a failure of that input. */
import { AppError, isAppError } from '../../domain/failure.ts';

/** @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE, and what is no error of the file system */
export function readable<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function unreadable(path: string, cause: unknown): unknown {
  if (isAppError(cause) || !(cause instanceof Error && 'code' in cause)) return cause;
  const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
  return new AppError(
    missing ? 'STAGE_INPUT_MISSING' : 'STAGE_INPUT_UNREADABLE',
    `input ${path} ${missing ? 'does not exist' : `cannot be read: ${cause.message}`}`,
    { context: { path }, cause },
  );
}
