/** Goal: a text never takes more room than counted. Method: examples of scripts that are wide, narrow or stand on others. */
import { expect, it } from 'vitest';
import { columnsOf, fitColumns, padColumns } from '../../../src/domain/columns.ts';

it.each([
  ['count.0', 7],
  ['日本語', 6],
  ['ａ', 2],
  ['한국', 4],
  ['e\u0301', 1],
  ['שלום', 4],
  ['👍', 2],
  ['❤\ufe0f', 2],
  ['\u{1f469}\u200d\u{1f680}', 4],
])('%s takes %i', (text, columns) => expect(columnsOf(text)).toBe(columns));

it('a text is cut between characters, and never inside one', () => {
  expect(fitColumns('count.0', 7)).toBe('count.0');
  expect(fitColumns('count.10', 7)).toBe('count.…');
  expect(fitColumns('日本語です', 6)).toBe('日本…');
  expect(fitColumns('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
  expect(fitColumns('\u{1f469}\u200d\u{1f680}x', 4)).toBe('…');
  expect(fitColumns('long', 0)).toBe('');
  expect(padColumns('日', 4)).toBe('日  ');
});
