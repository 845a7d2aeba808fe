/** How many steps lead to each of some that wait for each other. */

interface Linked {
  after: readonly string[];
}

/** 0: waits for none of them. Those in a circle, and what waits for them, have no level. */
export function levelsOf(nodes: ReadonlyMap<string, Linked>): Map<string, number> {
  const before = new Map(
    [...nodes].map(([name, { after }]) => [name, after.filter((other) => nodes.has(other))]),
  );
  const waiting = new Map([...before].map(([name, after]) => [name, after.length]));
  const next = Map.groupBy(
    [...before].flatMap(([name, after]) => after.map((other) => ({ name, other }))),
    ({ other }) => other,
  );
  const levels = new Map<string, number>();
  let free = [...waiting].filter(([, count]) => count === 0).map(([name]) => name);
  for (let level = 0; free.length > 0; level += 1) {
    for (const name of free) levels.set(name, level);
    const freed: string[] = [];
    for (const { name } of free.flatMap((other) => next.get(other) ?? [])) {
      const left = (waiting.get(name) ?? 0) - 1;
      waiting.set(name, left);
      if (left === 0) freed.push(name);
    }
    free = freed;
  }
  return levels;
}
