/** Tasks that wait for themselves, round some corners. */

interface Linked {
  after: readonly string[];
}

/** Each circle once, its first task again at its end. */
export function findCircles(tasks: ReadonlyMap<string, Linked>): string[][] {
  const left = new Map(tasks);
  const isFree = (name: string): boolean =>
    left.get(name)?.after.every((other) => !left.has(other)) ?? true;
  for (let free = [...left.keys()].filter(isFree); free.length > 0; ) {
    for (const name of free) left.delete(name);
    free = [...left.keys()].filter(isFree);
  }
  const circles: string[][] = [];
  const seen = new Set<string>();
  for (const start of left.keys()) {
    const way: string[] = [];
    let at: string | undefined = start;
    while (at !== undefined && !way.includes(at) && !seen.has(at)) {
      way.push(at);
      at = left.get(at)?.after.find((other) => left.has(other));
    }
    for (const name of way) seen.add(name);
    const begin = at === undefined ? -1 : way.indexOf(at);
    if (begin >= 0 && at !== undefined) circles.push([...way.slice(begin), at]);
  }
  return circles;
}
