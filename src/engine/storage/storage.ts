/** Where files may come from and go to that are on no machine of ours: one for each kind of address. */
import { AppError } from '../../domain/failure.ts';

/** With a local path. */
type Act = (url: string, path: string, options: { signal: AbortSignal }) => Promise<void>;

export interface Storage {
  /** Without the colon, in small letters. */
  schemes: readonly string[];
  /**
   * Writes what is at the address to a new local file. It may be called again after it failed.
   * @throws STORAGE_FETCH_FAILED
   */
  fetch: Act;
  /**
   * Makes a new local directory of all that is below the address. Absent: there are no directories.
   * @throws STORAGE_FETCH_FAILED STAGE_LIMIT
   */
  fetchDirectory?: Act;
  /**
   * Puts a local file where the address says, over what is there. Absent: nothing can be put there.
   * @throws STORAGE_PUT_FAILED
   */
  put?: Act;
}

/** An address may hold a login or a signature, which are nobody's business. */
export function withoutSecrets(url: string): string {
  return url.replace(/^([^:]+:\/\/)[^/@]*@/, '$1').replace(/[?#].*$/s, '');
}

export function fetchFailed(url: string, cause: unknown): AppError {
  return failed('STORAGE_FETCH_FAILED', {
    url,
    what: `input ${withoutSecrets(url)} cannot be fetched`,
    cause,
  });
}

export function putFailed(url: string, cause: unknown): AppError {
  return failed('STORAGE_PUT_FAILED', {
    url,
    what: `output ${withoutSecrets(url)} cannot be put there`,
    cause,
  });
}

function failed(
  code: 'STORAGE_FETCH_FAILED' | 'STORAGE_PUT_FAILED',
  { url, what, cause }: { url: string; what: string; cause: unknown },
): AppError {
  return new AppError(code, `${what}: ${reasonOf(cause)}`, {
    context: { url: withoutSecrets(url) },
    cause,
  });
}

/** What fetch says of itself is always the same; why is in its cause, which may only have a code. */
function reasonOf(error: unknown): string {
  const { message, code, cause } = error as NodeJS.ErrnoException;
  if (cause instanceof Error) return reasonOf(cause);
  return message || code || String(error);
}
