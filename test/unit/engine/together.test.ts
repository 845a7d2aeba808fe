/** Goal: a failure of one leaves nothing of the others under way. Method: acts that end when told. */
import { expect, test } from 'vitest';
import { together } from '../../../src/engine/together.ts';

const { signal } = new AbortController();

test('results come in the order of the items', async () => {
  expect(await together([3, 1, 2], signal, async (item) => item * 2)).toEqual([6, 2, 4]);
  expect(await together([], signal, async () => 1)).toEqual([]);
});

test('when one fails the others are stopped and waited for, and the first failure is told', async () => {
  const ended: string[] = [];
  const act = async (item: string, own: AbortSignal): Promise<void> => {
    if (item === 'fails') throw new Error('first');
    await new Promise<void>((resolve) => own.addEventListener('abort', () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(item);
    throw new Error('second');
  };
  await expect(together(['a', 'fails', 'b'], signal, act)).rejects.toThrow('first');
  expect(ended.toSorted()).toEqual(['a', 'b']);
});

test('the caller stops them all', async () => {
  const stop = new AbortController();
  const all = together(['a', 'b'], stop.signal, async (_, own) => {
    await new Promise<void>((resolve) => own.addEventListener('abort', () => resolve()));
    own.throwIfAborted();
  });
  stop.abort(new Error('stopped'));
  await expect(all).rejects.toThrow('stopped');
});
