/** Goal: a reference finds what a task left, and nothing else. Method: tasks as data. */
import { expect, test } from 'vitest';
import type { EndedState, KeptEntry } from '../../../src/domain/state.ts';
import type { AttemptToken, TaskSpec } from '../../../src/domain/task.ts';
import { refuseNotKept, takeOutput } from '../../../src/engine/kept-outputs.ts';
import { aTask } from '../../support/builders.ts';

const file = (path: string): KeptEntry => ({
  kind: 'file',
  path,
  sha256: path,
  mode: 0o444,
  bytes: 1,
});
const place = { host: 'vm', root: '/r', token: 'task.1' as AttemptToken };

function ended(more: Partial<EndedState>, spec: Partial<TaskSpec> = {}) {
  const end = { attempt: 1, outputs: [], finishedAt: 1, cleanup: 'done' as const };
  return { ...aTask(spec), state: { kind: 'succeeded', ...end, ...more } as EndedState };
}

const ENTRIES: KeptEntry[] = [
  file('d/a.txt'),
  file('d/sub/b.txt'),
  { kind: 'directory', path: 'd' },
  { kind: 'directory', path: 'd/sub' },
  { kind: 'directory', path: 'd/empty' },
  file('top'),
];

const names = async (path: string) => {
  const task = ended({ kept: { ...place, entries: ENTRIES } });
  return (await takeOutput(task, path)).map((one) => `${one.kind} ${one.relative}`).sort();
};

test('a file, a directory with all in it, a pattern, everything', async () => {
  expect(await names('top')).toEqual(['file ']);
  expect(await names('d')).toEqual([
    'directory ',
    'directory empty',
    'directory sub',
    'file a.txt',
    'file sub/b.txt',
  ]);
  expect(await names('d/**/*.txt')).toEqual(['file a.txt', 'file sub/b.txt']);
  expect(await names('.')).toHaveLength(7);
});

test('where a kept file is; what was delivered is taken from here', async () => {
  const kept = await takeOutput(ended({ kept: { ...place, entries: ENTRIES } }), 'top');
  expect(kept).toMatchObject([{ sha256: 'top', kept: { place, mode: 0o444 } }]);
  const output = {
    pattern: 'x/*',
    remote: '/r/tasks/d/task.1/work/x/y',
    local: '/home/y',
    bytes: 1,
  };
  const delivered = ended({ outputs: [{ ...output, sha256: 'h' }] });
  expect(await takeOutput(delivered, 'x/y')).toMatchObject([{ sha256: 'h', local: '/home/y' }]);
  const stored = ended({ outputs: [{ ...output, local: 's3://data/y', sha256: 'h' }] });
  await expect(takeOutput(stored, 'x/y')).rejects.toMatchObject({ code: 'STAGE_OUTPUT_MISSING' });
});

test('what it did not leave is missing', async () => {
  const kept = { ...place, entries: ENTRIES };
  for (const [task, path] of [
    [ended({ kept }), 'none'],
    [ended({}), 'top'],
    [ended({ kind: 'failed', kept }), 'top'],
  ] as const) {
    await expect(takeOutput(task, path)).rejects.toMatchObject({ code: 'STAGE_OUTPUT_MISSING' });
  }
});

test('before it has ended, only what it says it shares can be taken', () => {
  const shares = aTask({ share: ['d', '*.txt'] });
  expect(() => refuseNotKept(shares, 'd/a')).not.toThrow();
  expect(() => refuseNotKept(aTask({ share: ['d'] }), 'e')).toThrow('--share e');
});
