/**
 * What `scripts/test` takes of a long table of like cases: some, evenly from the first to the last, so that
 * all of it stays well below its limit. TOWLINE_TEST_ALL=1 takes all: before a release, and by whoever changes what they are about.
 */
import { spread } from '../crash/walk/points.ts';

export const TAKES_ALL = process.env['TOWLINE_TEST_ALL'] === '1';

/** So many of the cases, or all. */
export function shareOf<T>(cases: readonly T[], count: number): T[] {
  return TAKES_ALL ? [...cases] : spread(cases, count);
}
