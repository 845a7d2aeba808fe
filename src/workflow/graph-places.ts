/**
 * Where in its level each node of an ordered graph stands: as near to its neighbours as the order and the sizes let
 * it, so that edges are short and straight. Pure.
 */
import type { Slot } from './graph-order.ts';

interface Sizes {
  /** Across the level; 0 for a bend. */
  sizeOf: (slot: Slot) => number;
  gap: number;
}

const ROUNDS = 6;

/** The middle of each slot across its level; the first one ends at 0 or after it. */
export function placeAcross(levels: readonly Slot[][], sizes: Sizes): Map<Slot, number> {
  const middles = new Map<Slot, number>();
  for (const level of levels) {
    // level by level around one axis, as a start
    const offsets = offsetsOf(level, sizes);
    const half = (offsets.at(-1) ?? 0) / 2;
    for (const [index, slot] of level.entries()) middles.set(slot, (offsets[index] ?? 0) - half);
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const isDown = round % 2 === 0;
    for (const level of isDown ? levels : levels.toReversed()) {
      const wanted = level.map((slot) =>
        wantedOf(slot, round === ROUNDS - 1 ? undefined : isDown, middles),
      );
      const placed = inOrder(wanted, offsetsOf(level, sizes));
      for (const [index, slot] of level.entries()) middles.set(slot, placed[index] ?? 0);
    }
  }
  const least = Math.min(...[...middles].map(([slot, at]) => at - sizes.sizeOf(slot) / 2));
  for (const [slot, at] of middles) middles.set(slot, at - least);
  return middles;
}

/** In the middle of its neighbours on one side, or on both. */
function wantedOf(
  slot: Slot,
  isDown: boolean | undefined,
  middles: ReadonlyMap<Slot, number>,
): number {
  const near = [
    ...(isDown === false ? [] : slot.before),
    ...(isDown === true ? [] : slot.next),
  ].map((other) => middles.get(other) ?? 0);
  if (near.length === 0) return middles.get(slot) ?? 0;
  return near.reduce((sum, at) => sum + at, 0) / near.length;
}

/** The least distance of each slot of a level from its first one. */
function offsetsOf(level: readonly Slot[], { sizeOf, gap }: Sizes): number[] {
  let offset = 0;
  return level.map((slot, index) => {
    const previous = level[index - 1];
    if (previous !== undefined) offset += (sizeOf(previous) + sizeOf(slot)) / 2 + gap;
    return offset;
  });
}

/** Nearest to what is wanted, by squares, with the distances kept: neighbours that would overlap move as one. */
function inOrder(wanted: readonly number[], offsets: readonly number[]): number[] {
  const blocks: { sum: number; count: number }[] = [];
  for (const [index, want] of wanted.entries()) {
    let block = { sum: want - (offsets[index] ?? 0), count: 1 };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.sum / last.count <= block.sum / block.count) break;
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  }
  const bases = blocks.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count));
  return bases.map((base, index) => base + (offsets[index] ?? 0));
}
