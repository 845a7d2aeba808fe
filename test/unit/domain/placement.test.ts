/** Goal: who goes where. Method: rooms and tasks as data. */
import { expect, test } from 'vitest';
import { fitsEver, type HostRoom, place } from '../../../src/domain/placement.ts';
import { aSpec, aTask } from '../../support/builders.ts';

function room(more: Partial<HostRoom> = {}): HostRoom {
  return {
    name: 'vm',
    enabled: true,
    inviting: true,
    maxTasks: 2,
    usedTasks: 0,
    usedCpus: 0,
    usedMemoryBytes: 0,
    ...more,
  };
}

const ids = (placements: ReturnType<typeof place>) =>
  placements.map(({ task, host }) => `${task.id}@${host}`);

test('priority goes first, then age', () => {
  const old = { ...aTask({}, 'old'), submittedAt: 1 };
  const young = { ...aTask({}, 'young'), submittedAt: 2 };
  const urgent = { ...aTask({ priority: 5 }, 'urgent'), submittedAt: 3 };
  expect(ids(place([young, old, urgent], [room()]))).toEqual(['urgent@vm', 'old@vm']);
});

test('a task without a host goes to the least loaded one that can be reached', () => {
  const rooms = [
    room({ name: 'busy', usedTasks: 1 }),
    room({ name: 'away', inviting: false }),
    room({ name: 'free' }),
  ];
  expect(ids(place([aTask()], rooms))).toEqual(['task1@free']);
});

test('a task that names an unreachable host waits there', () => {
  expect(ids(place([aTask({ host: 'vm' })], [room({ inviting: false })]))).toEqual(['task1@vm']);
});

test('a disabled host gets nothing new, and a task that names it waits', () => {
  const closed = room({ enabled: false });
  expect(place([aTask(), aTask({ host: 'vm' }, 'named')], [closed])).toEqual([]);
  expect(fitsEver(aSpec({ host: 'vm' }), closed)).toBe(true);
});

test('nothing goes where it does not fit, in tasks, cpus or memory', () => {
  expect(place([aTask()], [room({ usedTasks: 2 })])).toEqual([]);
  expect(place([aTask({ cpus: 2 })], [room({ cpus: 4, usedCpus: 3 })])).toEqual([]);
  expect(
    place([aTask({ memoryBytes: 10 })], [room({ memoryBytes: 15, usedMemoryBytes: 6 })]),
  ).toEqual([]);
});

test('a big task that waits for room is not overtaken by small ones behind it', () => {
  const big = { ...aTask({ cpus: 4 }, 'big'), submittedAt: 1 };
  const small = { ...aTask({ cpus: 1 }, 'small'), submittedAt: 2 };
  expect(place([big, small], [room({ cpus: 4, usedCpus: 1, usedTasks: 1 })])).toEqual([]);
});

test('a task that can never fit is told apart from one that has to wait', () => {
  expect(fitsEver(aSpec({ cpus: 8 }), room({ cpus: 4 }))).toBe(false);
  expect(fitsEver(aSpec({ cpus: 4 }), room({ cpus: 4, usedCpus: 4 }))).toBe(true);
});
