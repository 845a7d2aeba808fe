/**
 * Goal: the parity table leaves nothing out and leaves no row without a test or a word why. Method: its
 * rows, against the numbers they must have (that each named test exists is looked at in docs.test.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/parity.md'), 'utf8');
const ROWS = [...PAGE.matchAll(/^\| ([FWD]\d+) \|(.*)\|$/gm)].map(([, id = '', text = '']) => ({
  id,
  text,
}));
const numbers = (letter: string, last: number, digits: number): string[] =>
  Array.from({ length: last }, (_, n) => `${letter}${String(n + 1).padStart(digits, '0')}`);

it('has every feature and every defect once, in order', () => {
  expect(ROWS.map(({ id }) => id)).toEqual([
    ...numbers('F', 93, 2),
    ...numbers('W', 15, 1),
    ...numbers('D', 17, 1),
  ]);
});

it('each row names a test, or says that it comes later', () => {
  const bare = ROWS.filter(({ text }) => !/`test\/|\*(?:Slurm|Workflows)\*/.test(text)).map(
    ({ id }) => id,
  );
  expect(bare).toEqual([]);
});

it('only scheduler and workflow rows may come later than the rest', () => {
  const later = ROWS.filter(({ id, text }) => id.startsWith('F') && !text.includes('`test/'))
    .filter(({ text }) => /\*(?:Slurm|Workflows)\*/.test(text))
    .map(({ id }) => Number(id.slice(1)));
  expect(later.every((n) => (n >= 53 && n <= 72) || [76, 79, 81, 82].includes(n))).toBe(true);
});
