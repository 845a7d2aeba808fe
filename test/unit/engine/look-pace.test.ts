/** Goal: looks are soon where they matter and never what a host is busy with. Method: the pauses for told times. */
import { expect, test } from 'vitest';
import { createLookPace } from '../../../src/engine/look-pace.ts';

const CAP = { capMs: 2_000 };
const QUIET = { moved: false, ...CAP };
const MOVED = { moved: true, ...CAP };

test('pauses grow by little up to the longest, and are the shortest again once something moves or is expected to', () => {
  const pace = createLookPace();
  pace.took(10);
  expect(pace.next(MOVED)).toBe(30);
  expect(pace.next(QUIET)).toBe(37.5);
  for (let look = 0; look < 40; look += 1) pace.next(QUIET);
  expect(pace.next(QUIET)).toBe(2_000);
  expect(pace.next(MOVED)).toBe(30);
  pace.next(QUIET);
  pace.hurry();
  expect(pace.next(QUIET)).toBe(37.5);
});

test('a host that takes longer than it could is left alone for twice that, and no longer than the longest pause', () => {
  const pace = createLookPace();
  pace.took(10);
  pace.took(110.1);
  expect(pace.next(MOVED)).toBeCloseTo(200, 0);
  pace.took(5_000);
  expect(pace.next(MOVED)).toBe(2_000);
  expect(pace.next({ moved: true, capMs: 250 })).toBe(250);
  pace.took(10);
  expect(pace.next(MOVED)).toBe(30);
});

test('a way that takes long is no slowness, also when it has become longer', () => {
  const pace = createLookPace();
  pace.took(300);
  expect(pace.next(MOVED)).toBe(30);
  pace.took(10);
  for (let look = 0; look < 400; look += 1) pace.took(300);
  expect(pace.next(MOVED)).toBe(30);
});

test('what has just begun is looked at first when the shortest seen so far would end, and never much later', () => {
  const pace = createLookPace();
  expect(pace.first()).toBe(0);
  pace.lasted(160);
  expect(pace.first()).toBe(152);
  pace.lasted(3_000);
  expect(pace.first()).toBe(152);
  pace.lasted(20);
  expect(pace.first()).toBe(19);
  const slow = createLookPace();
  slow.lasted(60_000);
  expect(slow.first()).toBe(200);
});
