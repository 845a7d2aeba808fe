/** How what something costs grows with how much of it there is: figures at each size, as a table and a picture. */

export type Unit = 'count' | 'bytes' | 'ms';

export interface Axis {
  label: string;
  unit: Unit;
}

export interface Growth {
  name: string;
  /** What was done, in a sentence. */
  what: string;
  along: Axis;
  series: readonly Axis[];
  /** From the smallest size on; a value for each series. */
  points: readonly { at: number; values: readonly number[] }[];
}

/** `picture` is a path as the page names it. */
export function growthTable(growth: Growth, picture?: string): string {
  const { name, what, along, series, points } = growth;
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `### ${name} (1 round)`,
    '',
    what,
    '',
    ...(picture === undefined ? [] : [`![${name}, as the table below it](${picture})`, '']),
    row(along.label, ...series.map(({ label }) => label)),
    `|---|${'---|'.repeat(series.length)}`,
    ...points.map(({ at, values }) =>
      row(
        shown(at, along.unit),
        ...series.map(({ unit }, index) => shown(values[index] ?? Number.NaN, unit)),
      ),
    ),
    '',
  ].join('\n');
}

const STEPS: Readonly<Record<Unit, readonly (readonly [size: number, unit: string])[]>> = {
  count: [[1, '']],
  ms: [
    [1_000, ' s'],
    [1, ' ms'],
  ],
  bytes: [
    [2 ** 30, ' GiB'],
    [2 ** 20, ' MiB'],
    [2 ** 10, ' KiB'],
    [1, ' B'],
  ],
};

/** Three digits and the unit that fits. */
export function shown(value: number, unit: Unit): string {
  const steps = STEPS[unit];
  const [size, name] = steps.find(([least]) => value >= least) ?? steps.at(-1) ?? [1, ''];
  const scaled = value / size;
  const digits = scaled >= 100 || Number.isInteger(scaled) ? 0 : scaled >= 10 ? 1 : 2;
  return `${grouped(scaled.toFixed(digits))}${name}`;
}

function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, digits.includes('.') ? '' : ',');
}
