/**
 * What a server answers, held against what was asked: it may answer a request with a reply of any kind,
 * and the library hands on whatever came. Pure.
 */
import type { FileEntryWithStats, Stats } from 'ssh2';

/** True for what a request for a file or a directory to open must be answered with. */
export function isHandle(answer: unknown): answer is Buffer {
  return Buffer.isBuffer(answer);
}

/** True for attributes that tell type and size. */
export function isAttributes(answer: unknown): answer is Stats {
  const { mode, size } = (answer ?? {}) as Partial<Stats>;
  return Number.isSafeInteger(mode) && Number.isSafeInteger(size);
}

/** True for a piece of a listing, each name with its attributes. */
export function isNames(answer: unknown): answer is FileEntryWithStats[] {
  return (
    Array.isArray(answer) &&
    answer.every((entry) => typeof entry.filename === 'string' && isAttributes(entry.attrs))
  );
}
