/** Which attempts share a job. */
import { expect, test } from 'vitest';
import { chunksOf } from '../../../../src/engine/jobs/chunks.ts';

const ask = (word: string, name = word) => ({ name, request: { args: [word], notes: [] } });
const namesOf = (chunks: { members: { name: string }[]; pilot: boolean }[]) =>
  chunks.map(({ members, pilot }) => [members.map(({ name }) => name).join(''), pilot]);

const SITE = { scheduler: { arrayMax: 1_000 } };
const MIXED = [ask('a', '1'), ask('b', '2'), ask('a', '3'), ask('a', '4'), ask('b', '5')];

test('those that ask for the same share an array, in the order they came', () => {
  expect(namesOf(chunksOf(MIXED, { ...SITE, array: true }))).toEqual([
    ['134', false],
    ['25', false],
  ]);
});

test('without arrays each has its own', () => {
  expect(chunksOf(MIXED, { ...SITE, array: false })).toHaveLength(5);
});

test('a pilot takes so many; one that is left alone needs none', () => {
  expect(namesOf(chunksOf(MIXED, { ...SITE, array: true, pilot: { tasks: 2 } }))).toEqual([
    ['13', true],
    ['4', false],
    ['25', true],
  ]);
});

test('an array is no larger than a site lets it be', () => {
  const many = Array.from({ length: 2_500 }, () => ask('a'));
  const sizes = chunksOf(many, { ...SITE, array: true }).map(({ members }) => members.length);
  expect(sizes).toEqual([1_000, 1_000, 500]);
});
