/** Goal: nothing is placed where it does not fit, and nothing waits for a room that is there. Method: a real ledger, fake hosts. */

import { expect, onTestFinished, test, vi } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { TaskId, TaskSpec } from '../../../src/domain/task.ts';
import { createPlacer } from '../../../src/engine/placer.ts';
import type { HostPolicy } from '../../../src/engine/settings.ts';
import { slurmJobs } from '../../../src/host-settings.ts';
import type { Store } from '../../../src/store/store.ts';
import { aSpec, aTask } from '../../support/builders.ts';
import { LOG, openBooks, seatsOf } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';
import { aPolicy as aSlurm } from '../scheduler/slurm/policy.ts';

const tick = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

async function house(policy: Partial<HostPolicy> = {}, wrap?: (store: Store) => Store) {
  const { ledger, store } = openBooks(wrap);
  const host = new FakeHost();
  const seats = await seatsOf([[policy, host]], () => placer.look());
  const placer = createPlacer({ ledger, seats, log: LOG });
  const add = (id: string, more: Partial<TaskSpec> = {}) => ledger.insert([aTask(more, id)]);
  const kinds = () =>
    Object.fromEntries([...ledger.live()].map(({ id, state }) => [id, state.kind]));
  return { ledger, store, host, seats, seat: seats.get('vm'), placer, add, kinds };
}

test('tasks are placed as far as there is room, and the next when room comes free', async () => {
  const { placer, add, kinds, ledger } = await house({ maxTasks: 1 });
  await add('a');
  await add('b');
  placer.look();
  await tick();
  expect(kinds()).toEqual({ a: 'pulling', b: 'queued' });
  await ledger.apply('a' as TaskId, { kind: 'cancel-asked' });
  placer.look();
  await tick();
  expect(kinds()).toEqual({ a: 'cancelling', b: 'queued' });
  await ledger.apply('a' as TaskId, { kind: 'gone', attempt: 1 });
  placer.look();
  await tick();
  expect(kinds()).toEqual({ b: 'pulling' });
});

test('what one look gives away the next sees taken, however slow the commit is', async () => {
  const gate = Promise.withResolvers<void>();
  const { placer, add, kinds } = await house({ maxTasks: 1 }, (store) => ({
    ...store,
    commit: async (change) => {
      await gate.promise;
      return store.commit(change);
    },
  }));
  await add('low');
  placer.look();
  await tick();
  await add('urgent', { priority: 9 });
  placer.look();
  await tick();
  gate.resolve();
  await tick();
  expect(Object.values(kinds()).filter((kind) => kind === 'pulling')).toHaveLength(1);
});

test('room counts what runs there by tasks, cpus and memory, with what was found at first contact', async () => {
  const { placer, add, seat, ledger } = await house({ cpus: 16 });
  expect(placer.room(seat)).toMatchObject({ usedTasks: 0, cpus: 16, memoryBytes: undefined });
  await seat.facts();
  await add('a', { cpus: 2, memoryBytes: 100 });
  placer.look();
  await tick();
  expect(placer.room(seat)).toMatchObject({
    usedTasks: 1,
    usedCpus: 2,
    usedMemoryBytes: 100,
    memoryBytes: 8_000_000_000,
  });
  await ledger.apply('a' as TaskId, { kind: 'cancel-asked' });
  await ledger.apply('a' as TaskId, { kind: 'gone', attempt: 1 });
  expect(placer.room(seat)).toMatchObject({ usedTasks: 0, usedCpus: 0 });
});

test('a host that cannot be reached is given only what names it', async () => {
  const { placer, add, kinds, host } = await house();
  const since = { since: 0, code: 'SSH_HOST_UNREACHABLE', message: 'm', nextTryAt: 1 };
  host.setLink({ kind: 'unreachable', ...since });
  await add('any');
  await add('named', { host: 'vm' });
  placer.look();
  await tick();
  expect(kinds()).toEqual({ any: 'queued', named: 'pulling' });
});

test('what no host can ever run is refused at the door, by what it asks for', async () => {
  const { placer } = await house({ cpus: 4, memoryBytes: 1_000 });
  expect(() => placer.check(aSpec({ cpus: 4, memoryBytes: 1_000 }))).not.toThrow();
  for (const more of [{ cpus: 5 }, { memoryBytes: 1_001 }, { host: 'other' }]) {
    expect(() => placer.check(aSpec(more))).toThrow(
      expect.objectContaining({ code: 'TASK_NO_HOST_FITS' }),
    );
  }
});

test('a queued task that turns out too big at first contact is told so, instead of waiting for ever', async () => {
  const { placer, add, kinds, seat, ledger } = await house();
  await add('big', { cpus: 64 });
  await seat.facts();
  placer.look();
  await tick();
  expect(kinds()).toEqual({});
  expect((await ledger.find('big')).state).toMatchObject({
    kind: 'error',
    failure: { code: 'TASK_NO_HOST_FITS' },
  });
});

test('a full disk while placing is tried again by itself', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let full = true;
  const { placer, add, kinds } = await house({}, (store) => ({
    ...store,
    commit: (change) =>
      full ? Promise.reject(new AppError('STORE_FULL', 'no space')) : store.commit(change),
  }));
  await add('a');
  placer.look();
  await tick();
  expect(kinds()).toEqual({ a: 'queued' });
  full = false;
  vi.advanceTimersByTime(5_000);
  await tick();
  expect(kinds()).toEqual({ a: 'pulling' });
});

test('the refusal says what is asked for and the most that each host has', async () => {
  const { placer } = await house({ cpus: 4, memoryBytes: 1 << 30, gpus: 1, tags: ['fast'] });
  const message = (more: Partial<TaskSpec>): string => {
    try {
      placer.check(aSpec(more));
    } catch (error) {
      return (error as Error).message;
    }
    return 'it fits';
  };
  expect(message({ gpus: 1, require: ['fast'] })).toBe('it fits');
  expect(message({ cpus: 8, gpus: 2 })).toBe(
    'no configured host can ever run a task that asks for 8 cpus, 2 gpus: vm has 8 tasks, 4 cpus, 1 GiB memory, 1 gpus, tags fast',
  );
  expect(message({ require: ['slow'] })).toMatch(/the tags slow: vm has .* tags fast$/);
});

test('a host nobody has spoken to is looked at when somebody waits for it', async () => {
  const { placer, add, kinds, host } = await house({ gpus: 1 });
  host.setLink({ kind: 'idle' });
  await add('any');
  await add('cpus', { host: 'vm', cpus: 2 });
  placer.look();
  await tick();
  expect(host.count(/^looking at host/)).toBe(1);
  expect(kinds()).toEqual({ any: 'pulling', cpus: 'pulling' });
});

test('devices are given at placement, told in the event, and free again at the end', async () => {
  const { placer, add, seat, ledger, store } = await house({ gpus: 1 });
  await seat.facts();
  await add('a', { gpus: 1 });
  await add('b', { gpus: 1 });
  placer.look();
  await tick();
  const given = { kind: 'nvidia', devices: ['0'] };
  expect(ledger.get('a' as TaskId)?.state).toMatchObject({ kind: 'pulling', gpus: given });
  expect(ledger.get('b' as TaskId)?.state.kind).toBe('queued');
  const events = await store.listEvents({ since: 0, limit: 10 });
  expect(events).toContainEqual(
    expect.objectContaining({ kind: 'placed', data: { host: 'vm', gpus: given } }),
  );
  await ledger.apply('a' as TaskId, { kind: 'cancel-asked' });
  await ledger.apply('a' as TaskId, { kind: 'gone', attempt: 1 });
  placer.look();
  await tick();
  expect(ledger.get('b' as TaskId)?.state).toMatchObject({ gpus: given });
  expect((await ledger.find('a')).state).toMatchObject({ kind: 'cancelled', gpus: given });
});

test('what only a scheduler can give is refused where there is none, and the reason is told', async () => {
  const { placer } = await house();
  const slurm = { partition: 'short', nodes: 2 };
  expect(() => placer.check(aSpec({ slurm }))).toThrow(
    'host vm has no scheduler = slurm, which alone can give partition, nodes',
  );
});

test('a queue takes what its login node has not, and refuses what its partition does not give', async () => {
  const limits = [{ partition: 'short', maxCpus: 64, over: 'deny' as const }];
  const slurm = aSlurm({ partition: 'short', limits });
  const { placer, add, kinds } = await house({ jobs: slurmJobs(slurm), maxTasks: 2 });
  const big = { cpus: 64, memoryBytes: 2 ** 42, gpus: 8, host: 'vm' };
  expect(() => placer.check(aSpec({ ...big, cpus: 65 }))).toThrow(
    expect.objectContaining({ code: 'SLURM_LIMIT' }),
  );
  for (const id of ['a', 'b', 'c']) await add(id, big);
  placer.look();
  await tick();
  expect(kinds()).toEqual({ a: 'pulling', b: 'pulling', c: 'queued' });
});

test('cpus, memory and gpus of a host with a queue are what its tasks may ask for together', async () => {
  const { placer, add, kinds, seat } = await house({
    jobs: slurmJobs(aSlurm()),
    gpus: 2,
  });
  await add('a', { gpus: 2 });
  await add('b', { gpus: 1 });
  placer.look();
  await tick();
  expect(kinds()).toEqual({ a: 'pulling', b: 'queued' });
  expect(placer.room(seat).usedGpus).toHaveLength(2);
});
