import { AppError, isAppError } from '../domain/failure.ts';

/** An error of the local disk as an AppError that names the file; what is not the disk's comes back as it is. */
export function diskError(error: unknown, path: string): unknown {
  if (isAppError(error) || !(error instanceof Error) || !('syscall' in error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new AppError(full ? 'STORE_FULL' : 'STORE_IO', `${path}: ${message}`, {
    context: { path },
    cause: error,
  });
}

/** True when there is no space: the only trouble that goes away by itself. */
export function isFull(error: unknown): boolean {
  return isAppError(error) && error.code === 'STORE_FULL';
}
