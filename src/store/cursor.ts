/** Where a page of tasks begins. */
import { AppError } from '../domain/failure.ts';

/** A cursor is the ordinal of the last task given: it stays valid when that task is forgotten. */
export function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new AppError('REQUEST_INVALID', `cursor: ${JSON.stringify(cursor)} is not one of ours`, {
    context: { field: 'cursor' },
  });
}
