/** Goal: a failure comes with its last words, never with more than fits a screen. Method: a real spool. */
import { expect, test } from 'vitest';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { lastLines, stderrTail } from '../../../src/engine/stderr-tail.ts';
import { temporarySpool } from '../../support/engine-parts.ts';

async function tailOf(text: string) {
  const spool = await temporarySpool();
  const token = 'task1.1' as AttemptToken;
  const bytes = Buffer.from(text);
  await spool.attempt(token).append('stderr', 0, bytes);
  await spool.attempt(token).seal({ stdout: 0, stderr: bytes.length });
  return stderrTail(spool, token, bytes.length);
}

test('the last ten lines and no more', async () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  expect(await tailOf(`${lines.join('\n')}\n`)).toBe(lines.slice(-10).join('\n'));
  expect(await tailOf('only')).toBe('only');
});

test('one endless line is cut to 4 KiB, between two characters', async () => {
  const tail = await tailOf('\u20ac'.repeat(5000));
  expect(Buffer.byteLength(tail ?? '')).toBe(4095);
  expect(tail).not.toContain('\ufffd');
});

test('nothing said is nothing shown', async () => {
  const spool = await temporarySpool();
  expect(await stderrTail(spool, 'task1.1' as AttemptToken, 0)).toBeUndefined();
  // what is gone from the disk is no failure of its own
  expect(await stderrTail(spool, 'task2.1' as AttemptToken, 5)).toBeUndefined();
  expect(lastLines(Buffer.from('\n\n'))).toBeUndefined();
});
