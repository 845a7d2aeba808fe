/**
 * Which queued task goes to which host: priority, then age; nothing goes where it does not fit. Of the
 * hosts that fit a task goes to the one that has most of its inputs, and of such to the one it fills least. A task that has to wait for room is promised
 * one host, and what it will need there counts as taken for those behind it: they may use what it
 * leaves over, so that holes are filled and a big task is not overtaken for ever.
 */
import type { AppError } from './failure.ts';
import type { GpuGrant, GpuKind } from './state.ts';
import type { Task, TaskSpec } from './task.ts';

/** What a host has to give. Absent: not known yet, so nothing that asks for it goes there; no bound of a queue. */
export interface Capacity {
  name: string;
  tags: readonly string[];
  maxTasks: number;
  cpus?: number | undefined;
  memoryBytes?: number | undefined;
  gpus?: number | undefined;
  /** A scheduler gives tasks what they ask for, when it has it: no devices are given here. */
  scheduled?: boolean | undefined;
  /** Why a task can never go there for another reason than these. */
  refuses?: ((spec: TaskSpec) => AppError | undefined) | undefined;
}

export interface HostRoom extends Capacity {
  /** The GPUs by name, once those are known. */
  devices?: { kind: GpuKind; devices: readonly string[] } | undefined;
  /** False: it gets no new tasks; those that name it wait. */
  enabled: boolean;
  /** False while the host cannot be reached or is not known: only tasks that name it go there. */
  inviting: boolean;
  /** False: it has no container runtime; a last resort. */
  able: boolean;
  usedTasks: number;
  usedCpus: number;
  usedMemoryBytes: number;
  /** Devices that tasks have. */
  usedGpus: readonly string[];
}

export interface Placement {
  task: Task;
  host: string;
  gpus?: GpuGrant | undefined;
}

const KINDS = ['tasks', 'cpus', 'memory', 'gpus'] as const;
type Amounts = Record<(typeof KINDS)[number], number>;

interface Room {
  host: HostRoom;
  has: Amounts;
  used: Amounts;
  /** Of what is used: not taken yet, but promised to tasks that wait. */
  promised: Amounts;
  free: string[];
}

/** Parts of a CPU do not add up exactly. */
const EPSILON = 1e-9;

/** Bytes of its inputs that each host has already, by name. */
export type Near = (task: Task) => ReadonlyMap<string, number> | undefined;

function nearest(rooms: Room[], near: ReturnType<Near>): Room[] {
  if (near === undefined) return rooms;
  const bytesAt = (room: Room): number => near.get(room.host.name) ?? 0;
  const most = Math.max(...rooms.map(bytesAt));
  return rooms.filter((room) => bytesAt(room) === most);
}

/** Assigns as many queued tasks as fit now. Those of one moment go in the order given. */
export function place(
  queued: readonly Task[],
  hosts: readonly HostRoom[],
  near?: Near,
): Placement[] {
  return placeInOrder(queued.toSorted(byRank), hosts, near);
}

/** The same of tasks that are in order (`byRank`) already; of a long queue only the beginning is looked at. */
export function placeInOrder(
  queued: Iterable<Task>,
  hosts: readonly HostRoom[],
  near: Near = () => undefined,
): Placement[] {
  const rooms = hosts.map(roomOf);
  const placements: Placement[] = [];
  for (const task of queued) {
    // Every task needs a place in the count of tasks: the rest of a long queue need not be looked at.
    if (rooms.every(({ used, has }) => used.tasks >= has.tasks)) break;
    const { spec } = task;
    const ask = askOf(spec);
    const candidates = candidatesOf(spec, rooms);
    const open = candidates.filter((room) => fits(ask, room.used, room.has));
    const best = least(nearest(open, near(task)), (room) => fillOf(ask, room));
    if (best !== undefined) placements.push({ task, ...take(ask, best) });
    else promise(ask, candidates);
  }
  return placements;
}

/** False when the host could not run the task even if it were empty; what is not known may be enough. */
export function fitsEver(spec: TaskSpec, host: Capacity): boolean {
  const tagged = (spec.require ?? []).every((tag) => host.tags.includes(tag));
  const fitting = fits(askOf(spec), NOTHING, capacityOf(host, Number.POSITIVE_INFINITY));
  return tagged && fitting && host.refuses?.(spec) === undefined;
}

const NOTHING: Amounts = { tasks: 0, cpus: 0, memory: 0, gpus: 0 };

function askOf({ cpus = 0, memoryBytes: memory = 0, gpus = 0 }: TaskSpec): Amounts {
  return { tasks: 1, cpus, memory, gpus };
}

function capacityOf(host: Capacity, notKnown: number): Amounts {
  const unknown = host.scheduled === true ? Number.POSITIVE_INFINITY : notKnown;
  return {
    tasks: host.maxTasks,
    cpus: host.cpus ?? unknown,
    memory: host.memoryBytes ?? unknown,
    gpus: host.gpus ?? unknown,
  };
}

function roomOf(host: HostRoom): Room {
  const { usedTasks: tasks, usedCpus: cpus, usedMemoryBytes: memory, usedGpus } = host;
  const free = freeDevices(host);
  const has = capacityOf(host, 0);
  return {
    host,
    has: host.scheduled === true ? has : { ...has, gpus: free.length + usedGpus.length },
    used: { tasks, cpus, memory, gpus: usedGpus.length },
    promised: { ...NOTHING },
    free,
  };
}

/**
 * A device that is in use under a name the host does not have now (the tool that names them failed)
 * may be any of those it has: nothing is given away until it is back.
 */
function freeDevices({ devices: known, usedGpus }: HostRoom): string[] {
  const devices = known?.devices ?? [];
  if (!usedGpus.every((device) => devices.includes(device))) return [];
  return devices.filter((device) => !usedGpus.includes(device));
}

/** Where a task may go at all: a host without a runtime only when no other can ever take it. */
function candidatesOf(spec: TaskSpec, rooms: readonly Room[]): Room[] {
  const open = rooms.filter(({ host }) => mayGo(spec, host) && fitsEver(spec, host));
  const able = open.filter(({ host }) => host.able);
  return able.length > 0 ? able : open;
}

function mayGo(spec: TaskSpec, host: HostRoom): boolean {
  return host.enabled && (spec.host === undefined ? host.inviting : spec.host === host.name);
}

/** What is not asked for does not matter, however much of it is taken. */
function fits(ask: Amounts, used: Amounts, has: Amounts): boolean {
  return KINDS.every((kind) => ask[kind] === 0 || used[kind] + ask[kind] <= has[kind] + EPSILON);
}

/** How full the host would be with the task, by the largest share of what it asks for. */
function fillOf(ask: Amounts, { used, has, free }: Room): number {
  const asked = KINDS.filter((kind) => ask[kind] > 0);
  const fill = Math.max(...asked.map((kind) => (used[kind] + ask[kind]) / has[kind]));
  // Of two that are as full, GPUs are left to those who need them.
  return fill + (ask.gpus === 0 ? free.length * 1e-6 : 0);
}

function take(ask: Amounts, room: Room): Omit<Placement, 'task'> {
  add(room.used, ask);
  const { name: host, devices: known } = room.host;
  const devices = room.free.splice(0, ask.gpus);
  return devices.length === 0 || known === undefined
    ? { host }
    : { host, gpus: { kind: known.kind, devices } };
}

/**
 * Of the hosts that can keep the promise beside those they gave before, the one where the least is
 * missing gives it. IMPORTANT: what is missing there can only shrink, since nobody behind may take of
 * it, and another host is chosen only when less is missing there; so every task that ends brings the
 * first in line nearer to its start.
 */
function promise(ask: Amounts, candidates: readonly Room[]): void {
  const missing = ({ used, has }: Room): number =>
    KINDS.filter((kind) => ask[kind] > 0)
      .map((kind) => Math.max(0, used[kind] + ask[kind] - has[kind]) / has[kind])
      .reduce((sum, share) => sum + share, 0);
  const able = candidates.filter(({ promised, has }) => fits(ask, promised, has));
  const best = least(able, missing);
  if (best === undefined) return;
  add(best.used, ask);
  add(best.promised, ask);
}

function add(to: Amounts, ask: Amounts): void {
  for (const kind of KINDS) to[kind] += ask[kind];
}

/** The first of those with the smallest measure. */
function least<T>(all: readonly T[], measure: (one: T) => number): T | undefined {
  let best: { one: T; size: number } | undefined;
  for (const one of all) {
    const size = measure(one);
    if (best === undefined || size < best.size) best = { one, size };
  }
  return best?.one;
}

/** Below 0 when the first goes before the second. */
export function byRank(a: Task, b: Task): number {
  return b.spec.priority - a.spec.priority || a.submittedAt - b.submittedAt;
}
