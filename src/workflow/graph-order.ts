/**
 * The order of a graph's nodes in each level, so that few edges cross. An edge over several levels gets a bend in
 * each of them, which takes part in the order like a node. Pure. Read next: graph-places.ts.
 */

interface Node {
  name: string;
  after: readonly string[];
  level: number;
}

/** A place in a level: a node, or a bend of an edge. */
export interface Slot {
  /** Undefined: a bend. */
  name?: string | undefined;
  /** Neighbours in the level before and in the next one. */
  before: Slot[];
  next: Slot[];
}

export interface Ordered {
  levels: Slot[][];
  /** From node to node, by its bends. */
  edges: Slot[][];
}

const SWEEPS = 12;
/** Beyond that edges go straight: nobody could follow their bends. */
const BENDS_MAX = 4000;

/** Nodes of a level keep the order they come in where nothing speaks against it. */
export function orderLevels(nodes: readonly Node[]): Ordered {
  const ordered = slotsOf(nodes);
  let { levels } = ordered;
  let best = { levels, crossings: crossingsOf(levels) };
  for (let sweep = 0; sweep < SWEEPS && best.crossings > 0; sweep += 1) {
    levels = swept(levels, sweep % 2 === 0 ? 'before' : 'next');
    const crossings = crossingsOf(levels);
    if (crossings < best.crossings) best = { levels, crossings };
  }
  return { levels: best.levels, edges: ordered.edges };
}

function slotsOf(nodes: readonly Node[]): Ordered {
  const slots = new Map(
    nodes.map((node) => [node.name, { ...node, before: [], next: [] } as Slot & Node]),
  );
  const count = Math.max(-1, ...nodes.map(({ level }) => level)) + 1;
  const levels: Slot[][] = Array.from({ length: count }, () => []);
  for (const slot of slots.values()) levels[slot.level]?.push(slot);
  const pairs = [...slots.values()].flatMap((to) =>
    to.after.flatMap((name) => {
      const from = slots.get(name);
      return from === undefined ? [] : [{ from, to }];
    }),
  );
  const bends = pairs.reduce((sum, { from, to }) => sum + to.level - from.level - 1, 0);
  const edges = pairs.map(({ from, to }) => {
    const way: Slot[] = [from];
    for (let level = from.level + 1; level < to.level && bends <= BENDS_MAX; level += 1) {
      const bend: Slot = { before: [], next: [] };
      levels[level]?.push(bend);
      way.push(bend);
    }
    way.push(to);
    link(way);
    return way;
  });
  return { levels, edges };
}

function link(way: readonly Slot[]): void {
  for (const [index, slot] of way.entries()) {
    const next = way[index + 1];
    if (next === undefined) return;
    slot.next.push(next);
    next.before.push(slot);
  }
}

/** Each level sorted by where its neighbours are, from one end of the graph to the other. */
function swept(levels: readonly Slot[][], towards: 'before' | 'next'): Slot[][] {
  const turned = towards === 'before' ? [...levels] : levels.toReversed();
  const places = new Map<Slot, number>();
  const done = turned.map((level) => {
    const wanted = new Map(
      level.map((slot, index) => [slot, mean(slot[towards], places) ?? index] as const),
    );
    const sorted = level.toSorted((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    for (const [index, slot] of sorted.entries()) places.set(slot, index);
    return sorted;
  });
  return towards === 'before' ? done : done.toReversed();
}

function mean(slots: readonly Slot[], places: ReadonlyMap<Slot, number>): number | undefined {
  const known = slots.flatMap((slot) => places.get(slot) ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((sum, place) => sum + place, 0) / known.length;
}

/** How many pairs of edges between neighbouring levels cross. */
export function crossingsOf(levels: readonly (readonly Slot[])[]): number {
  return levels.reduce((sum, level, index) => sum + between(level, levels[index + 1] ?? []), 0);
}

/** Edges from left to right: each crosses those before it that end below it. A tree of counts keeps it fast. */
function between(level: readonly Slot[], next: readonly Slot[]): number {
  const places = new Map(next.map((slot, index) => [slot, index]));
  const counts = new Array<number>(next.length + 1).fill(0);
  let [crossings, seen] = [0, 0];
  for (const slot of level) {
    const ends = slot.next.flatMap((other) => places.get(other) ?? []);
    for (const end of ends) {
      let notBelow = 0;
      for (let at = end + 1; at > 0; at -= at & -at) notBelow += counts[at] ?? 0;
      crossings += seen - notBelow;
    }
    for (const end of ends) {
      for (let at = end + 1; at < counts.length; at += at & -at) counts[at] = (counts[at] ?? 0) + 1;
    }
    seen += ends.length;
  }
  return crossings;
}
