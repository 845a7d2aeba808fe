/**
 * Where the boxes and edges of a graph go: levels from left to right, or from top to bottom where that is narrower.
 * Pure. Read next: graph-order.ts, graph-places.ts.
 */
import { type Ordered, orderLevels, type Slot } from './graph-order.ts';
import { placeAcross } from './graph-places.ts';

export interface Sized {
  name: string;
  after: readonly string[];
  level: number;
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  isAcross: boolean;
  width: number;
  height: number;
  /** The upper left corner of each box. */
  corners: ReadonlyMap<string, Point>;
  /** Edges from box to box; between two points lies a curve or, in a level that is passed, a line. */
  ways: readonly (readonly Point[])[];
}

const GAP = 14;
const BEND_SIZE = 4;
const LEVEL_GAP = 48;
const MARGIN = 8;

interface Plan {
  ordered: Ordered;
  isAcross: boolean;
  /** Along the levels, and across them. */
  mainOf: (slot: Slot) => number;
  crossOf: (slot: Slot) => number;
}

export function layOut(nodes: readonly Sized[]): Layout {
  const plan = planOf(nodes);
  const { isAcross, mainOf, crossOf } = plan;
  const { levels, edges } = plan.ordered;
  const middles = placeAcross(levels, { sizeOf: crossOf, gap: GAP });
  const spans = spansOf(plan);
  const point = (main: number, slot: Slot, aside = 0): Point => {
    const cross = (middles.get(slot) ?? 0) + aside + MARGIN;
    return isAcross ? { x: main, y: cross } : { x: cross, y: main };
  };
  const startOf = (slot: Slot): number => spans.get(slot)?.from ?? 0;
  const slots = levels.flat();
  const far = (ends: number[]): number => Math.ceil(Math.max(0, ...ends) + MARGIN);
  const mainEnd = far([...spans.values()].map(({ to }) => to));
  const crossEnd = far(slots.map((slot) => (middles.get(slot) ?? 0) + crossOf(slot) / 2 + MARGIN));
  return {
    isAcross,
    width: isAcross ? mainEnd : crossEnd,
    height: isAcross ? crossEnd : mainEnd,
    corners: new Map(
      slots.flatMap((slot) =>
        slot.name === undefined
          ? []
          : [[slot.name, point(startOf(slot), slot, -crossOf(slot) / 2)] as const],
      ),
    ),
    ways: edges.map((way) =>
      way.flatMap((slot, index) => {
        if (index === 0) return [point(startOf(slot) + mainOf(slot), slot)];
        if (index === way.length - 1) return [point(startOf(slot), slot)];
        return [point(startOf(slot), slot), point(spans.get(slot)?.to ?? 0, slot)];
      }),
    ),
  };
}

function planOf(nodes: readonly Sized[]): Plan {
  const ordered = orderLevels(nodes);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const size = (side: 'width' | 'height') => (slot: Slot) =>
    slot.name === undefined ? BEND_SIZE : (byName.get(slot.name)?.[side] ?? 0);
  const lengthOf = (sizes: number[], gap: number): number =>
    sizes.reduce((sum, one) => sum + one + gap, 0);
  const { levels } = ordered;
  const across = lengthOf(
    levels.map((level) => Math.max(...level.map(size('width')))),
    LEVEL_GAP,
  );
  const down = Math.max(0, ...levels.map((level) => lengthOf(level.map(size('width')), GAP)));
  const isAcross = across <= down;
  return {
    ordered,
    isAcross,
    mainOf: size(isAcross ? 'width' : 'height'),
    crossOf: size(isAcross ? 'height' : 'width'),
  };
}

/** From where to where a level goes. */
function spansOf({ ordered, mainOf }: Plan): Map<Slot, { from: number; to: number }> {
  let from = MARGIN;
  const spans = new Map<Slot, { from: number; to: number }>();
  for (const level of ordered.levels) {
    const to = from + Math.max(...level.map(mainOf));
    for (const slot of level) spans.set(slot, { from, to });
    from = to + LEVEL_GAP;
  }
  return spans;
}
