/** Goal: what a submission waits for is resolved as it was meant, or refused by name. Method: examples. */
import { describe, expect, it } from 'vitest';
import type { TaskId } from '../../../src/domain/task.ts';
import { linkTogether } from '../../../src/engine/dependencies.ts';
import { aSpec } from '../../support/builders.ts';

const tasks = (...waits: [name: string, ...after: string[]][]) =>
  waits.map(([name, ...after], index) => ({
    id: `id${index}` as TaskId,
    spec: aSpec({ name, ...(after.length > 0 && { after }) }),
  }));
const afters = (...waits: Parameters<typeof tasks>) =>
  linkTogether(tasks(...waits)).map(({ spec }) => spec.after);

describe('linkTogether', () => {
  it('takes names of the same submission for their tasks, and leaves ids as they are', () => {
    expect(afters(['a'], ['b', 'a', 'abcdefabcdef'], ['c', 'a', 'b', 'a'])).toEqual([
      undefined,
      ['id0', 'abcdefabcdef'],
      ['id0', 'id1'],
    ]);
  });

  it.each([
    ['a waits for a', [['a', 'a']]],
    [
      'b waits for c waits for d waits for b',
      [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'd'],
        ['d', 'b'],
      ],
    ],
  ] as const)('refuses a circle, and names it: %s', (named, waits) => {
    const given = waits.map((words) => [...words] as [string, ...string[]]);
    expect(() => afters(...given)).toThrow(named);
  });

  it('refuses a name that two tasks have', () => {
    expect(() => afters(['a'], ['a'], ['b', 'a'])).toThrow(
      '2 tasks of this submission are named a',
    );
  });
});
