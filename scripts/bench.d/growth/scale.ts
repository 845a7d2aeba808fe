/** A logarithmic axis: where a value is on it, and which values have a mark. Pure. */
import type { Unit } from './growth.ts';

export interface Scale {
  /** 0 at the lower end, 1 at the upper one. */
  place(value: number): number;
  ticks: readonly number[];
}

/** Marks that stand closer would be written over each other. */
const TICKS_MAX = 7;

/** Reaches from the greatest round value below all of them to the least one above. */
export function scaleOf(values: readonly number[], unit: Unit): Scale {
  if (values.length === 0 || values.some((value) => !(value > 0)))
    throw new Error('a logarithmic axis has room for nothing but numbers above zero');
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const fine = roundValues(least, most, unit === 'bytes' ? [1, 2, 4, 8, 16] : [1, 2, 5]);
  const ticks = fine.length <= TICKS_MAX ? fine : thinned(roundValues(least, most, [1]));
  const [low = least, high = most] = [ticks[0], ticks.at(-1)];
  const span = Math.log(high / low);
  return { ticks, place: (value) => (span === 0 ? 0.5 : Math.log(value / low) / span) };

  /** Times a power of ten, or of 32 for bytes. */
  function roundValues(from: number, to: number, digits: readonly number[]): number[] {
    const base = unit === 'bytes' ? 32 : 10;
    const first = Math.floor(Math.log(from) / Math.log(base));
    const last = Math.ceil(Math.log(to) / Math.log(base));
    const powers = Array.from({ length: last - first + 1 }, (_, n) => base ** (first + n));
    const all = powers.flatMap((power) => digits.map((digit) => digit * power));
    const below = all.findLastIndex((value) => value <= from * (1 + Number.EPSILON));
    const above = all.findIndex((value) => value >= to * (1 - Number.EPSILON));
    return all.slice(Math.max(0, below), above + 1);
  }
}

/** Every second, third … of them, the ends always. */
function thinned(ticks: readonly number[]): number[] {
  if (ticks.length <= TICKS_MAX) return [...ticks];
  const step = Math.ceil((ticks.length - 1) / (TICKS_MAX - 1));
  const some = ticks.filter((_, index) => index % step === 0);
  const last = ticks.at(-1);
  return last === undefined || some.at(-1) === last ? some : [...some, last];
}
