/** Goal: what grows is told from what only goes up and down. Method: made-up looks. */
import { expect, test } from 'vitest';
import { COUNTS, judgeFlat, type Sample, SIZES } from '../../support/soak/judge.ts';

const MIB = 1024 * 1024;

/** Sixty looks, each with what `of` says of its number. */
function looks(of: (n: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 60 }, (_, n) => ({
    ...{ tasks: 100 * n, residentBytes: 150 * MIB, handles: 30, threads: 12 },
    ...{ remoteProcesses: 8, remoteDirectories: 7, storeBytes: 9 * MIB },
    ...of(n),
  }));
}

const grown = (samples: Sample[]): string[] =>
  judgeFlat(samples, [...COUNTS, ...SIZES], 10)
    .filter(({ flat }) => !flat)
    .map(({ figure }) => figure);

test('what stays the same, or goes up and down, is flat', () => {
  expect(grown(looks(() => ({})))).toEqual([]);
  const wave = looks((n) => ({ handles: 30 + (n % 3), residentBytes: (140 + (n % 30)) * MIB }));
  expect(grown(wave)).toEqual([]);
});

test('what was not there before the warm-up is no growth', () => {
  expect(grown(looks((n) => ({ residentBytes: (n < 10 ? 100 : 170) * MIB })))).toEqual([]);
});

test.each([
  ['handles', (n: number) => ({ handles: 30 + Math.floor(n / 5) })],
  ['remoteProcesses', (n: number) => ({ remoteProcesses: 8 + n })],
  ['remoteDirectories', (n: number) => ({ remoteDirectories: 7 + (n > 50 ? 1 : 0) })],
  ['residentBytes', (n: number) => ({ residentBytes: (150 + n) * MIB })],
  ['storeBytes', (n: number) => ({ storeBytes: 9 * MIB + n * 300_000 })],
] as const)('%s that grow are found', (figure, of) => {
  expect(grown(looks(of))).toEqual([figure]);
});

test('the store may grow by a line for each task', () => {
  expect(grown(looks((n) => ({ storeBytes: 9 * MIB + 100 * n * 300 })))).toEqual([]);
});

test('too few looks say nothing', () => {
  expect(() => judgeFlat(looks(() => ({})).slice(0, 12), COUNTS, 10)).toThrow('too few');
});
