/** Goal: acts of one key never overlap, those of others are not held up. Method: acts that end when told. */
import { expect, test } from 'vitest';
import { createTurns } from '../../../src/engine/turns.ts';

test('acts of one key go one after the other, in the order asked, and each gives its own result', async () => {
  const inTurn = createTurns<string>();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = inTurn('a', async () => {
    log.push('first begins');
    await gate.promise;
    log.push('first ends');
    return 1;
  });
  const second = inTurn('a', async () => log.push('second'));
  const other = await inTurn('b', async () => 'b');
  expect([other, log]).toEqual(['b', ['first begins']]);
  gate.resolve();
  expect(await first).toBe(1);
  await second;
  expect(log).toEqual(['first begins', 'first ends', 'second']);
});

test('an act that fails fails alone', async () => {
  const inTurn = createTurns<string>();
  const broken = inTurn('a', () => Promise.reject(new Error('broken')));
  const next = inTurn('a', async () => 'fine');
  await expect(broken).rejects.toThrow('broken');
  expect(await next).toBe('fine');
});
