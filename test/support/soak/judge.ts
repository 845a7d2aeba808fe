/**
 * Whether what a daemon holds stays the same: for each figure the median of the last third of the looks against that of
 * the first third, those of the warm-up left out. What may be more is said with it. Pure.
 */
import type { Held } from './look.ts';

export interface Sample extends Held {
  /** Tasks that had ended by then. */
  tasks: number;
}

export interface Rule {
  figure: keyof Held;
  /** More than before in any case, as a share of it, and for each task that ended in between. */
  more: { atAll: number; share?: number; eachTask?: number };
}

const MIB = 1024 * 1024;

/** What is counted: a link or a shell for slow commands may be open at one look and closed at another. */
export const COUNTS: readonly Rule[] = [
  { figure: 'handles', more: { atAll: 2 } },
  { figure: 'threads', more: { atAll: 1 } },
  { figure: 'remoteProcesses', more: { atAll: 5 } },
  { figure: 'remoteDirectories', more: { atAll: 0 } },
];

/** The book of what was removed grows by a line for each attempt and one for each task, up to 100,000. */
export const SIZES: readonly Rule[] = [
  { figure: 'residentBytes', more: { atAll: 12 * MIB, share: 0.1 } },
  { figure: 'storeBytes', more: { atAll: 2 * MIB, eachTask: 700 } },
];

export interface Verdict {
  figure: keyof Held;
  first: number;
  last: number;
  most: number;
  flat: boolean;
}

/** @throws when there are too few looks to say anything */
export function judgeFlat(
  samples: readonly Sample[],
  rules: readonly Rule[],
  warmUp: number,
): Verdict[] {
  const looks = samples.slice(warmUp);
  const third = Math.floor(looks.length / 3);
  if (third < 1)
    throw new Error(`${samples.length} looks, ${warmUp} of them to warm up, are too few`);
  const [early, late] = [looks.slice(0, third), looks.slice(-third)];
  const of = (some: readonly Sample[], figure: keyof Sample): number =>
    middle(some.map((sample) => sample[figure]));
  const tasks = of(late, 'tasks') - of(early, 'tasks');
  return rules.map(({ figure, more: { atAll, share = 0, eachTask = 0 } }) => {
    const [first, last] = [of(early, figure), of(late, figure)];
    const most = first + atAll + share * first + eachTask * tasks;
    return { figure, first, last, most, flat: last <= most };
  });
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
