/** Goal: the queue is what sorting by rank would give, whatever comes and goes. Method: random histories against that. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byRank } from '../../src/domain/placement.ts';
import type { Task } from '../../src/domain/task.ts';
import { createTaskQueue } from '../../src/engine/task-queue.ts';
import { aTask } from '../support/builders.ts';

const step = fc.record({
  priority: fc.integer({ min: -1, max: 1 }),
  submittedAt: fc.integer({ min: 0, max: 4 }),
  /** Of those that are there: which one leaves; none beyond them. */
  leaves: fc.nat({ max: 20 }),
});

test('tasks come in order of priority, then age, then arrival, and those that left are gone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const queue = createTaskQueue();
      const there: { task: Task; arrival: number }[] = [];
      for (const [arrival, { priority, submittedAt, leaves }] of steps.entries()) {
        const task = { ...aTask({ priority }, `t${arrival}`), submittedAt };
        queue.add({ task, arrival });
        there.push({ task, arrival });
        const [left] = there.splice(leaves, 1);
        if (left !== undefined) queue.remove(left);
      }
      // sorting keeps the order of those that are equal
      const sorted = there.map(({ task }) => task).toSorted(byRank);
      expect([...queue]).toEqual(sorted);
      expect(queue.size).toBe(sorted.length);
    }),
  );
});

test('who was not added is not removed in the place of another', () => {
  const queue = createTaskQueue();
  queue.add({ task: aTask({}, 'one'), arrival: 1 });
  queue.remove({ task: aTask({}, 'one'), arrival: 2 });
  expect(queue.size).toBe(1);
});
