/**
 * Goal: a picture of a growth can be read whatever the figures are: points and marks inside their panel, in order,
 * marks apart, labels no markup. Method: figures by chance; numbers read back out of the SVG.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Growth, growthTable, shown } from '../../../scripts/bench.d/growth/growth.ts';
import { plotFile } from '../../../scripts/bench.d/growth/plot.ts';
import { scaleOf } from '../../../scripts/bench.d/growth/scale.ts';

const UNITS = ['count', 'bytes', 'ms'] as const;
const WIDTH = 310;
const HEIGHT = 210;

const growths = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 30 }), { minLength: 1, maxLength: 6 }),
    fc.array(fc.double({ min: 1e-2, max: 1e12, noNaN: true }), { minLength: 18, maxLength: 18 }),
    fc.constantFrom(...UNITS),
  )
  .map(
    ([sizes, figures, unit]): Growth => ({
      ...{ name: 'growth-of-it', what: 'It grew.', along: { label: 'it', unit } },
      series: UNITS.map((own) => ({ label: own, unit: own })),
      points: sizes
        .toSorted((a, b) => a - b)
        .map((at, n) => ({ at, values: figures.slice(3 * n, 3 * n + 3) })),
    }),
  );

const numbersIn = (svg: string, pattern: RegExp): number[] =>
  [...svg.matchAll(pattern)].map(([, number]) => Number(number));

it('every point is inside its panel, and they go from left to right', () => {
  fc.assert(
    fc.property(growths, (growth) => {
      for (const panel of plotFile(growth).split('<g ').slice(1)) {
        const across = numbersIn(panel, /cx="([^"]+)"/g);
        const down = numbersIn(panel, /cy="([^"]+)"/g);
        expect(across).toHaveLength(growth.points.length);
        expect(across).toEqual(across.toSorted((a, b) => a - b));
        for (const [n, x] of across.entries()) {
          expect(x).toBeGreaterThan(0);
          expect(x).toBeLessThan(WIDTH);
          expect(down[n]).toBeGreaterThan(0);
          expect(down[n]).toBeLessThan(HEIGHT);
        }
      }
    }),
  );
});

it('marks enclose the figures, stand apart and are told apart', () => {
  const figures = fc.array(fc.double({ min: 1e-3, max: 1e12, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(figures, fc.constantFrom(...UNITS), (values, unit) => {
      const { ticks, place } = scaleOf(values, unit);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThanOrEqual(9);
      for (const value of values) {
        expect(place(value)).toBeGreaterThanOrEqual(-1e-9);
        expect(place(value)).toBeLessThanOrEqual(1 + 1e-9);
      }
      const places = ticks.map(place);
      for (const [n, at] of places.slice(1).entries())
        expect(at - (places[n] ?? 0)).toBeGreaterThan(0.05);
    }),
  );
});

it('an axis has no place for zero', () => {
  expect(() => scaleOf([0, 1], 'count')).toThrow('above zero');
});

it('a figure of zero is in the table and not in the picture', () => {
  const growth: Growth = {
    ...{ name: 'growth-x', what: 'X.', along: { label: 'x', unit: 'count' } },
    series: [{ label: '<b>&', unit: 'ms' }],
    points: [
      { at: 1, values: [0] },
      { at: 10, values: [5] },
    ],
  };
  const svg = plotFile(growth);
  expect(svg.match(/<circle/g)).toHaveLength(1);
  expect(svg).toContain('&lt;b&gt;&amp;');
  expect(svg).not.toContain('<b>');
  expect(growthTable(growth, 'growth/growth-x.svg').split('\n')).toEqual([
    '### growth-x (1 round)',
    '',
    'X.',
    '',
    '![growth-x, as the table below it](growth/growth-x.svg)',
    '',
    '| x | <b>& |',
    '|---|---|',
    '| 1 | 0 ms |',
    '| 10 | 5 ms |',
    '',
  ]);
});

describe('a figure is shown with the unit that fits', () => {
  it.each([
    [100_000, 'count', '100,000'],
    [0.5, 'count', '0.50'],
    [1023, 'bytes', '1,023 B'],
    [2 ** 30, 'bytes', '1 GiB'],
    [1.5 * 2 ** 20, 'bytes', '1.50 MiB'],
    [999, 'ms', '999 ms'],
    [200_000, 'ms', '200 s'],
    [1_234.5, 'ms', '1.23 s'],
  ] as const)('%d %s', (value, unit, text) => {
    expect(shown(value, unit)).toBe(text);
  });
});
