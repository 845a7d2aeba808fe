/** Which of the points that a scenario passes are tried: all, or a share that keeps the distinct ones. */

/** Passed at every commit beside the point named by its kind: the same places. */
const ALIAS = /^store\.commit\./;

/** The points to kill at, without those that are other names of the same places. */
export function distinct(points: readonly string[]): string[] {
  return points.filter((point) => !ALIAS.test(point));
}

/**
 * While a task runs the daemon looks again and again: `looks` of those points, evenly from the first to
 * the last, and all others.
 */
export function withFewLooks(points: readonly string[], looks: number): string[] {
  const isLook = lookingAt(points);
  const chosen = new Set(spread(points.filter(isLook), looks));
  return points.filter((point) => !isLook(point) || chosen.has(point));
}

function lookingAt(points: readonly string[]): (point: string) => boolean {
  const during = new Set<string>();
  let watching = false;
  for (const point of points) {
    if (point.startsWith('watch.after')) watching = false;
    if (watching) during.add(point);
    if (point.startsWith('watch.before')) watching = true;
  }
  // Only what comes again: the first of its kind is a place of its own.
  return (point) => during.has(point) && !/^(spool|remote\.readRange)\S*:1$/.test(point);
}

/** So many of the items, evenly from the first to the last. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (count >= items.length) return [...items];
  const share = (index: number): number => Math.floor((index * count) / items.length);
  return items.filter((_, index) => share(index) !== share(index - 1));
}

/** Chains of so many items each, from all parts of the list and in its order; together they have each item once. */
export function chains<T>(items: readonly T[], length: number): T[][] {
  const count = Math.ceil(items.length / length);
  return Array.from({ length: count }, (_, first) =>
    items.filter((_item, index) => index % count === first),
  );
}
