/** One act for each item, so many at once; the results in the order of the items. @throws what failed first, when all that was begun has ended */
export async function atMost<A, T>(
  count: number,
  items: readonly A[],
  act: (item: A) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const at = next;
      next += 1;
      try {
        results[at] = await act(items[at] as A);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, lane));
  if (failures.length > 0) throw failures[0] as Error;
  return results;
}
