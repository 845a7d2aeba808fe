/** Goal: the book holds exactly what is not finished. Method: changes as data. */
import { expect, test } from 'vitest';
import type { TaskId } from '../../../src/domain/task.ts';
import { createLiveTasks } from '../../../src/engine/live-tasks.ts';
import { after, aTask } from '../../support/builders.ts';

test('a book is filled with the tasks and what is ordered of each', () => {
  const book = createLiveTasks();
  const [one, two] = [aTask({}, 'one'), aTask({}, 'two')];
  book.fill({ tasks: [one, two], effects: [{ task: two.id, kind: 'clean', attempt: 1 }] });
  expect(book.entry(one.id)?.orders).toEqual([]);
  expect(book.entry(two.id)?.orders).toEqual([{ kind: 'clean', attempt: 1 }]);
  expect([...book.tasks()]).toEqual([one, two]);
});

test('an ended task stays while something is ordered of it, and everybody is told of every change', () => {
  const book = createLiveTasks();
  const seen: string[] = [];
  book.onTold(({ task }) => seen.push(`a ${task.state.kind}`));
  book.onTold(({ task }) => seen.push(`b ${task.state.kind}`));
  const task = aTask();
  const ended = after(task, { kind: 'cancel-asked' });
  const orders = [{ kind: 'clean' as const, attempt: 1 }];
  book.tell({ before: task, task: ended, orders, events: [] });
  expect(book.entry('task1' as TaskId)?.task).toEqual(ended);
  book.tell({ before: ended, task: ended, orders: [], events: [] });
  expect(book.entry('task1' as TaskId)).toBeUndefined();
  expect(seen).toEqual(['a cancelled', 'b cancelled', 'a cancelled', 'b cancelled']);
});
