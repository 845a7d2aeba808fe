/**
 * One act for each item, all at once. When one fails the others are stopped and waited for, so that
 * nothing of it goes on when its failure is told.
 * @throws what failed first
 */
export async function together<A, T>(
  items: readonly A[],
  signal: AbortSignal,
  act: (item: A, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  const one = async (item: A): Promise<T | undefined> => {
    try {
      return await act(item, either);
    } catch (error) {
      failures.push(error);
      stop.abort(error);
      return undefined;
    }
  };
  const results = await Promise.all(items.map(one));
  if (failures.length > 0) throw failures[0] as Error;
  return results as T[];
}
