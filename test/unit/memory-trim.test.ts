/** Goal: what is not in use is given back when nobody waits, and a daemon that needs its memory is left alone. */
import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { collector, isWorthTrim } from '../../src/memory-trim.ts';

const MIB = 1024 * 1024;

test.each([
  ['a small heap', { heldBytes: 60 * MIB, trimmedBytes: 0, busy: 0 }, false],
  [
    'a large heap of a loop that is busy',
    { heldBytes: 300 * MIB, trimmedBytes: 0, busy: 0.5 },
    false,
  ],
  [
    'a large heap that nobody waits for',
    { heldBytes: 300 * MIB, trimmedBytes: 0, busy: 0.1 },
    true,
  ],
  [
    'one of which most was in use',
    { heldBytes: 300 * MIB, trimmedBytes: 200 * MIB, busy: 0 },
    false,
  ],
  ['one that has doubled since', { heldBytes: 500 * MIB, trimmedBytes: 200 * MIB, busy: 0 }, true],
])('%s', (_what, look, worth) => {
  expect(isWorthTrim(look)).toBe(worth);
});

test('a collection gives the room of garbage back', () => {
  const collect = collector();
  collect();
  const before = getHeapStatistics().total_heap_size;
  let garbage: object[] | undefined = Array.from({ length: 1_000_000 }, (_, n) => ({ n }));
  const full = getHeapStatistics().total_heap_size;
  expect(full).toBeGreaterThan(before + 16 * MIB);
  garbage = undefined;
  collect();
  expect(garbage).toBeUndefined();
  expect(getHeapStatistics().total_heap_size).toBeLessThan(before + 8 * MIB);
});
