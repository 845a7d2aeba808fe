/** Goal: what is shared is equal to what came in, and equal parts are one. */
import { expect, it } from 'vitest';
import { createPartSharing } from '../../../src/store/share-parts.ts';
import { aSpec, aTask, everyState } from '../../contract/store-tasks.ts';

it('gives equal values, of which equal parts are the same object', () => {
  const share = createPartSharing();
  const tasks = everyState().map((state) => aTask({ state, spec: aSpec({ env: { A: '1' } }) }));
  const shared = tasks.map((task) => share(structuredClone(task)));
  expect(shared).toEqual(tasks);
  for (const { spec } of shared) expect(spec.env).toBe(shared[0]?.spec.env);
});

it('keeps apart what only looks alike, and what is absent from what is undefined', () => {
  const share = createPartSharing();
  const values = [1, '1', [1], ['1'], { a: 1 }, { a: '1' }, null, 'null', true, {}, []];
  expect(values.map((value) => share(value))).toStrictEqual(values);
  expect(share({ a: undefined, b: 1 })).toEqual({ b: 1 });
});
