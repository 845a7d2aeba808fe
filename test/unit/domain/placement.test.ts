/** Goal: who goes where. Method: rooms and tasks as data. */
import { expect, test } from 'vitest';
import { fitsEver, type HostRoom, place } from '../../../src/domain/placement.ts';
import { aSpec, aTask } from '../../support/builders.ts';

function room(more: Partial<HostRoom> = {}): HostRoom {
  return {
    name: 'vm',
    enabled: true,
    inviting: true,
    able: true,
    tags: [],
    maxTasks: 2,
    usedTasks: 0,
    usedCpus: 0,
    usedMemoryBytes: 0,
    usedGpus: [],
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

test('tasks of one moment go in the order of their submission, whatever their ids', () => {
  const tasks = ['z', 'm', 'a'].map((id) => aTask({}, id));
  expect(ids(place(tasks, [room()]))).toEqual(['z@vm', 'm@vm']);
});

test('a task without a host goes to the least loaded one that can be reached', () => {
  const rooms = [
    room({ name: 'busy', usedTasks: 1 }),
    room({ name: 'away', inviting: false }),
    room({ name: 'free' }),
  ];
  expect(ids(place([aTask()], rooms))).toEqual(['task1@free']);
});

test('of hosts with room a task goes to the one that has most of its inputs, else to any', () => {
  const rooms = [
    room({ name: 'empty' }),
    room({ name: 'some' }),
    room({ name: 'most', maxTasks: 1 }),
  ];
  const near = () =>
    new Map([
      ['most', 9],
      ['some', 3],
    ]);
  const tasks = ['a', 'b', 'c', 'd'].map((id) => aTask({}, id));
  expect(ids(place(tasks, rooms, near))).toEqual(['a@most', 'b@some', 'c@some', 'd@empty']);
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

test('the host that a task would fill least takes it, by what it asks for', () => {
  const small = room({ name: 'small', cpus: 4, maxTasks: 8 });
  const large = room({ name: 'large', cpus: 16, maxTasks: 8, usedTasks: 2, usedCpus: 1 });
  expect(ids(place([aTask({ cpus: 2 })], [small, large]))).toEqual(['task1@large']);
  expect(ids(place([aTask()], [small, large]))).toEqual(['task1@small']);
});

test('GPUs are given by name, each to one task, and left to those who ask for them', () => {
  const devices = { kind: 'nvidia' as const, devices: ['GPU-a', 'GPU-b', 'GPU-c'] };
  const gpu = room({
    name: 'gpu',
    maxTasks: 9,
    gpus: 3,
    devices,
    usedGpus: ['GPU-b'],
    usedTasks: 1,
  });
  const plain = room({ name: 'plain', maxTasks: 9, gpus: 0, usedTasks: 1 });
  const tasks = [aTask({}, 'none'), aTask({ gpus: 1 }, 'one'), aTask({ gpus: 2 }, 'two')];
  const placed = place(tasks, [gpu, plain]);
  expect(ids(placed)).toEqual(['none@plain', 'one@gpu']);
  expect(placed[1]?.gpus).toEqual({ kind: 'nvidia', devices: ['GPU-a'] });
});

test('while a device is in use under a name the host does not have now, no other is given', () => {
  const devices = { kind: 'nvidia' as const, devices: ['0', '1'] };
  const odd = room({ gpus: 2, devices, usedGpus: ['GPU-b'], usedTasks: 1 });
  expect(place([aTask({ gpus: 1 })], [odd])).toEqual([]);
  expect(ids(place([aTask()], [odd]))).toEqual(['task1@vm']);
});

test('what a host has is not guessed: who asks for it waits until it is known', () => {
  expect(place([aTask({ host: 'vm', cpus: 1 })], [room()])).toEqual([]);
  expect(place([aTask({ host: 'vm', gpus: 1 })], [room({ gpus: 2 })])).toEqual([]);
  expect(fitsEver(aSpec({ cpus: 1, memoryBytes: 5 }), room())).toBe(true);
});

test('tags must all be there', () => {
  const tagged = room({ name: 'tagged', tags: ['fast', 'a100'], usedTasks: 1 });
  const wants = aTask({ require: ['a100', 'fast'] });
  expect(ids(place([wants], [room(), tagged]))).toEqual(['task1@tagged']);
  expect(fitsEver(aSpec({ require: ['a100', 'slow'] }), tagged)).toBe(false);
});

test('a host without a container runtime is taken only when there is no other', () => {
  const bare = room({ name: 'bare', able: false });
  expect(place([aTask()], [bare, room({ usedTasks: 2 })])).toEqual([]);
  expect(ids(place([aTask()], [bare]))).toEqual(['task1@bare']);
});

test('those behind a task that waits use what it will not need', () => {
  const devices = { kind: 'nvidia' as const, devices: ['0'] };
  const host = room({ maxTasks: 9, cpus: 8, gpus: 1, devices, usedGpus: ['0'], usedTasks: 1 });
  const waiting = { ...aTask({ gpus: 1, cpus: 5 }, 'waiting'), submittedAt: 1 };
  const fits = { ...aTask({ cpus: 3 }, 'fits'), submittedAt: 2 };
  const delays = { ...aTask({ cpus: 1 }, 'delays'), submittedAt: 3 };
  expect(ids(place([waiting, fits, delays], [host]))).toEqual(['fits@vm']);
});

test('a queue of tasks for one GPU does not keep the processors idle', () => {
  const devices = { kind: 'nvidia' as const, devices: ['0'] };
  const host = room({ maxTasks: 4, cpus: 4, gpus: 1, devices, usedGpus: ['0'], usedTasks: 1 });
  const queue = Array.from({ length: 5 }, (_, i) => aTask({ gpus: 1, cpus: 1 }, `gpu${i}`));
  const behind = { ...aTask({ cpus: 2 }, 'behind'), submittedAt: 9 };
  expect(ids(place([...queue, behind], [host]))).toEqual(['behind@vm']);
});
