/**
 * Which queued task goes to which host: priority, then age; nothing goes where it does not fit. A
 * task that has to wait for room closes its hosts to those behind it, so that a big task is not
 * overtaken for ever.
 */
import type { Task, TaskSpec } from './task.ts';

export interface HostRoom {
  name: string;
  /** False: it gets no new tasks; those that name it wait. */
  enabled: boolean;
  /** False while the host cannot be reached: only tasks that name it go there. */
  inviting: boolean;
  maxTasks: number;
  usedTasks: number;
  /** Absent: not known, not limited. */
  cpus?: number | undefined;
  usedCpus: number;
  memoryBytes?: number | undefined;
  usedMemoryBytes: number;
}

export interface Placement {
  task: Task;
  host: string;
}

/** Assigns as many queued tasks as fit now. */
export function place(queued: readonly Task[], hosts: readonly HostRoom[]): Placement[] {
  const rooms = hosts.map((host) => ({ ...host, closed: false }));
  const placements: Placement[] = [];
  for (const task of queued.toSorted(byRank)) {
    const candidates = rooms.filter((room) => mayGo(task.spec, room));
    const open = candidates.filter((room) => !room.closed && fitsNow(task.spec, room));
    const best = open.toSorted((a, b) => load(a) - load(b))[0];
    if (best === undefined) {
      for (const room of candidates) if (fitsEver(task.spec, room)) room.closed = true;
      continue;
    }
    best.usedTasks += 1;
    best.usedCpus += task.spec.cpus ?? 0;
    best.usedMemoryBytes += task.spec.memoryBytes ?? 0;
    placements.push({ task, host: best.name });
  }
  return placements;
}

/** False when the host could not run the task even if it were empty. */
export function fitsEver(spec: TaskSpec, room: HostRoom): boolean {
  return (
    room.maxTasks > 0 &&
    (spec.cpus ?? 0) <= (room.cpus ?? Number.POSITIVE_INFINITY) &&
    (spec.memoryBytes ?? 0) <= (room.memoryBytes ?? Number.POSITIVE_INFINITY)
  );
}

function mayGo(spec: TaskSpec, room: HostRoom): boolean {
  return room.enabled && (spec.host === undefined ? room.inviting : spec.host === room.name);
}

function fitsNow(spec: TaskSpec, room: HostRoom): boolean {
  return (
    fitsEver(spec, room) &&
    room.usedTasks < room.maxTasks &&
    (spec.cpus ?? 0) <= (room.cpus ?? Number.POSITIVE_INFINITY) - room.usedCpus &&
    (spec.memoryBytes ?? 0) <= (room.memoryBytes ?? Number.POSITIVE_INFINITY) - room.usedMemoryBytes
  );
}

function load(room: HostRoom): number {
  return room.usedTasks / Math.max(1, room.maxTasks);
}

function byRank(a: Task, b: Task): number {
  return (
    b.spec.priority - a.spec.priority || a.submittedAt - b.submittedAt || (a.id < b.id ? -1 : 1)
  );
}
