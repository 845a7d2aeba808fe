/** Goal: files stay small enough to be read at once. Method: count lines; the bar is in STYLE: half below 80. */
import { expect, it } from 'vitest';
import { readSources } from './sources.ts';

const LINES_MAX = 300;
const MEDIAN_MAX = 100;

const lengths = readSources().map(({ path, text }) => ({
  path,
  lines: text.trimEnd().split('\n').length,
}));

it(`no source file has more than ${LINES_MAX} lines`, () => {
  expect(lengths.filter(({ lines }) => lines > LINES_MAX)).toEqual([]);
  expect(lengths.length).toBeGreaterThan(50);
});

it(`half of the source files have at most ${MEDIAN_MAX} lines`, () => {
  const sorted = lengths.map(({ lines }) => lines).toSorted((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(MEDIAN_MAX);
});
