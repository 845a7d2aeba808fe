/**
 * Goal: never over a slot, never two tasks on one device, nobody overtaken for ever. Method: a clock
 * of our own, any mix of hosts and tasks, a look after every submission and every end.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitsEver, type HostRoom, place } from '../../src/domain/placement.ts';
import type { GpuGrant } from '../../src/domain/state.ts';
import type { Task } from '../../src/domain/task.ts';
import { aTask } from '../support/builders.ts';

interface Running {
  task: Task;
  host: string;
  gpus?: GpuGrant | undefined;
  endsAt: number;
}

const host = fc.record({
  maxTasks: fc.integer({ min: 1, max: 6 }),
  cpus: fc.integer({ min: 1, max: 8 }),
  memoryBytes: fc.integer({ min: 1, max: 16 }),
  gpus: fc.integer({ min: 0, max: 3 }),
});
const job = fc.record({
  cpus: fc.option(fc.constantFrom<number[]>(0.1, 0.3, 1, 2, 4, 8), { nil: undefined }),
  memoryBytes: fc.option(fc.integer({ min: 1, max: 16 }), { nil: undefined }),
  gpus: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  priority: fc.integer({ min: 0, max: 1 }),
  at: fc.integer({ min: 0, max: 20 }),
  takes: fc.integer({ min: 1, max: 9 }),
});
type HostCase = typeof host extends fc.Arbitrary<infer T> ? T : never;
type JobCase = typeof job extends fc.Arbitrary<infer T> ? T : never;

function roomsNow(hosts: readonly HostCase[], running: readonly Running[]): HostRoom[] {
  return hosts.map((one, index) => {
    const name = `h${index}`;
    const here = running.filter((each) => each.host === name);
    const sum = (of: (task: Task) => number) =>
      here.reduce((total, { task }) => total + of(task), 0);
    return {
      ...one,
      name,
      tags: [],
      enabled: true,
      inviting: true,
      able: true,
      devices: {
        kind: 'nvidia',
        devices: Array.from({ length: one.gpus }, (_, i) => `${name}-${i}`),
      },
      usedTasks: here.length,
      usedCpus: sum(({ spec }) => spec.cpus ?? 0),
      usedMemoryBytes: sum(({ spec }) => spec.memoryBytes ?? 0),
      usedGpus: here.flatMap(({ gpus }) => gpus?.devices ?? []),
    };
  });
}

/** Runs all jobs to their end, with a check after every look; gives when each began. */
function simulate(hosts: readonly HostCase[], jobs: readonly JobCase[]): Map<string, number> {
  const began = new Map<string, number>();
  const takes = new Map(jobs.map(({ takes: time }, i) => [`t${i}`, time]));
  const tasks = jobs.map(({ at, takes: _takes, ...spec }, i) => ({
    ...aTask(spec, `t${i}`),
    submittedAt: at,
  }));
  let waiting = tasks.filter(({ spec }) => roomsNow(hosts, []).some((one) => fitsEver(spec, one)));
  let running: Running[] = [];
  for (let now = 0; waiting.length > 0; now += 1) {
    expect(now, 'somebody waits for ever').toBeLessThan(2_000);
    running = running.filter(({ endsAt }) => endsAt > now);
    const queued = waiting.filter(({ submittedAt }) => submittedAt <= now);
    for (const placed of place(queued, roomsNow(hosts, running))) {
      running.push({ ...placed, endsAt: now + (takes.get(placed.task.id) ?? 1) });
      began.set(placed.task.id, now);
      expect(placed.gpus?.devices.length ?? 0).toBe(placed.task.spec.gpus ?? 0);
    }
    waiting = waiting.filter(({ id }) => !began.has(id));
    for (const room of roomsNow(hosts, running)) {
      expect(room.usedTasks).toBeLessThanOrEqual(room.maxTasks);
      expect(room.usedCpus).toBeLessThanOrEqual((room.cpus ?? 0) + 1e-9);
      expect(room.usedMemoryBytes).toBeLessThanOrEqual(room.memoryBytes ?? 0);
      expect(new Set(room.usedGpus).size).toBe(room.usedGpus.length);
      for (const device of room.usedGpus) expect(room.devices?.devices).toContain(device);
    }
  }
  return began;
}

test('whatever comes and ends: never over a slot, no device twice, everything starts', () => {
  const hosts = fc.array(host, { minLength: 1, maxLength: 3 });
  const jobs = fc.array(job, { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(hosts, jobs, (h, j) => void simulate(h, j)));
});

test('a big task starts soon, however many small ones keep coming', () => {
  fc.assert(
    fc.property(
      fc.array(host, { minLength: 1, maxLength: 3 }),
      fc.array(job, { minLength: 200, maxLength: 200 }),
      fc.integer({ min: 1, max: 9 }),
      (hosts, small, start) => {
        const cpus = Math.max(...hosts.map((one) => one.cpus));
        const big = {
          cpus,
          memoryBytes: undefined,
          gpus: undefined,
          priority: 1,
          at: start,
          takes: 1,
        };
        const stream = small.map((one, i) => ({ ...one, at: Math.floor(i / 4), priority: 0 }));
        const began = simulate(hosts, [...stream, big]);
        // every task that ran when it came has ended after 9; each change of the promise needs one more
        expect((began.get('t200') ?? 999) - start).toBeLessThanOrEqual(9 * hosts.length);
      },
    ),
    { numRuns: 40 },
  );
});
