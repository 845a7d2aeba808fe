/** Goal: gc lets go of shared outputs that nobody needs, and of no other. Method: tasks as data. */
import { expect, test } from 'vitest';
import type { TaskState } from '../../../src/domain/state.ts';
import type { AttemptToken, TaskId } from '../../../src/domain/task.ts';
import { createNeeds } from '../../../src/engine/gc-needs.ts';
import { aTask } from '../../support/builders.ts';

const token = (text: string) => text as AttemptToken;

const shares = (id: string, finishedAt: number, by = `${id}.1`) => {
  const kept = { host: 'vm', root: '/r', token: token(by), entries: [] };
  const end = { attempt: 1, outputs: [], finishedAt, cleanup: 'done' as const, kept };
  return { ...aTask({}, id), state: { kind: 'succeeded', ...end } satisfies TaskState };
};

test('what is taken by a task that has not ended, is young, or is just being made stays', () => {
  const needs = createNeeds();
  const taken = { source: { kind: 'output', task: 'old', path: 'x' }, target: 'x' } as const;
  for (const task of [
    shares('old', 10),
    shares('older', 10),
    shares('young', 100),
    // what it shares was made by another task
    shares('again', 100, 'first.1'),
    aTask({ inputs: [taken] }, 'taker'),
  ]) {
    needs.see(task);
  }
  expect([...needs.holding(50)].sort()).toEqual(['first.1', 'old.1', 'taker.1', 'young.1']);
  expect([needs.isTaken('old' as TaskId), needs.isTaken('older' as TaskId)]).toEqual([true, false]);
});
