/** Goal: each exit record becomes the one right piece of news. Method: a table. */
import { expect, test } from 'vitest';
import type { ExitRecord } from '../../../src/domain/state.ts';
import { exitNews, seal, storedExit } from '../../../src/engine/exit-news.ts';
import type { AttemptExit } from '../../../src/script/records.ts';
import { aTask, exitOf } from '../../support/builders.ts';
import { temporarySpool } from '../../support/engine-parts.ts';

const WHERE = { task: aTask(), attempt: 1, host: 'vm', bytes: { stdout: 0, stderr: 0 }, now: 9 };
const attemptExit = (more: Partial<AttemptExit>): AttemptExit => ({
  ...exitOf(0),
  nonce: 'aa',
  direct: false,
  ...more,
});

test.each<[string, Partial<AttemptExit>, object]>([
  ['a code', { code: 3 }, { kind: 'exited', exit: { code: 3 } }],
  ['a limit', { code: undefined, limit: 'time' }, { kind: 'exited', exit: { limit: 'time' } }],
  [
    'no code and no limit',
    { code: undefined, runtimeCode: 255 },
    { kind: 'step-failed', failure: { code: 'RUNTIME_START_FAILED' }, exit: { runtimeCode: 255 } },
  ],
  [
    'a stream that is shorter here',
    { stdoutBytes: 5 },
    { kind: 'step-failed', failure: { code: 'STREAM_TRUNCATED' }, exit: { stdoutBytes: 5 } },
  ],
  [
    'a copier that was killed',
    { copier: 'stderr' },
    { kind: 'step-failed', failure: { code: 'STREAM_COPIER_DIED' } },
  ],
  [
    'a copier that was killed before the command ran',
    { copier: 'stdout', code: undefined, runtimeCode: 143 },
    { kind: 'step-failed', failure: { code: 'STREAM_COPIER_DIED' }, exit: { runtimeCode: 143 } },
  ],
  [
    'a copier ended by the cap',
    { copier: 'stdout', limit: 'stdout' },
    { kind: 'exited', exit: { limit: 'stdout' } },
  ],
])('%s', (_, record, news) => {
  expect(exitNews(WHERE, attemptExit(record))).toMatchObject({ attempt: 1, ...news });
});

test('the end is told by our own clock where we were looking, else by the host’s', () => {
  const at = (now: number) => exitNews({ ...WHERE, now }, exitOf(0, { finishedAt: 100_000 }));
  expect(at(102_900)).toMatchObject({ exit: { finishedAt: 102_900 } });
  expect(at(999_000)).toMatchObject({ exit: { finishedAt: 100_000 } });
});

test('only what belongs to the task is stored of a record of the host', () => {
  const stored: ExitRecord = storedExit(attemptExit({ copier: 'stdout', runtimeLogTail: 'words' }));
  expect(Object.keys(stored)).not.toContain('nonce');
  expect(Object.keys(stored)).not.toContain('copier');
  expect(stored.runtimeLogTail).toBe('words');
});

test('sealing tells how much of each stream there is, and may be done again', async () => {
  const spool = await temporarySpool();
  await spool.attempt('a.1' as never).append('stderr', 0, Buffer.from('four'));
  for (let i = 0; i < 2; i += 1) {
    expect(await seal(spool, 'a.1' as never)).toEqual({ stdout: 0, stderr: 4 });
  }
  expect(await spool.attempt('a.1' as never).isComplete()).toBe(true);
});
