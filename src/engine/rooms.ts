/** What each host has to give, and what of it is taken by tasks from their placement to their end. */
import type { Capacity, HostRoom } from '../domain/placement.ts';
import { type GpuKind, isEnded } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import type { GpuFacts } from '../script/gpu-probe.ts';
import { refusalOf } from './refusals.ts';
import type { Seat } from './seats.ts';

/** States of a link in which a host is given only what names it. */
const AWAY = ['unreachable', 'refused', 'needs-login'];

type Devices = { kind: GpuKind; devices: GpuFacts['devices'] };

/**
 * What a host has: as configured, else as found at first contact, else not known. What a login node has is
 * nothing for tasks: there only what is configured counts.
 */
export function capacityOf(seat: Seat): Capacity {
  const { name, policy } = seat;
  const scheduled = policy.jobs !== undefined;
  const facts = scheduled ? undefined : seat.knownFacts();
  return {
    name,
    ...{ scheduled, refuses: refusalOf(policy) },
    tags: policy.tags,
    maxTasks: policy.maxTasks,
    cpus: policy.cpus ?? facts?.cpus,
    memoryBytes: policy.memoryBytes ?? facts?.memoryBytes,
    gpus: devicesOf(seat)?.devices.length ?? policy.gpus,
  };
}

/** The GPUs that tasks may have; absent while their names are not known. */
export function devicesOf({ policy, knownFacts }: Seat): Devices | undefined {
  // a scheduler gives GPUs itself
  if (policy.jobs !== undefined) return undefined;
  const facts = knownFacts();
  const allowed = policy.gpus;
  if (facts === undefined || (allowed === undefined && facts.gpus === undefined)) return undefined;
  const found = facts.gpus?.devices ?? [];
  const kind = facts.gpus?.kind ?? 'nvidia';
  if (found.length > 0) return { kind, devices: found.slice(0, allowed) };
  const numbers = Array.from({ length: allowed ?? 0 }, (_, index) => ({ device: `${index}` }));
  return { kind: 'nvidia', devices: numbers };
}

/** The rooms of hosts as they stand, by one walk through the tasks. */
export function roomsOf(seats: readonly Seat[], tasks: Iterable<Task>): HostRoom[] {
  const rooms = new Map(seats.map((seat) => [seat.name, emptyRoom(seat)]));
  for (const { state, spec } of tasks) {
    if (isEnded(state) || !('host' in state)) continue;
    const room = rooms.get(state.host);
    if (room === undefined) continue;
    room.usedTasks += 1;
    room.usedCpus += spec.cpus ?? 0;
    room.usedMemoryBytes += spec.memoryBytes ?? 0;
    const unnamed =
      room.scheduled === true ? Array.from({ length: spec.gpus ?? 0 }, () => '?') : [];
    room.usedGpus.push(...(state.gpus?.devices ?? unnamed));
  }
  return [...rooms.values()];
}

function emptyRoom(seat: Seat): HostRoom & { usedGpus: string[] } {
  const link = seat.host.linkState().kind;
  const facts = seat.knownFacts();
  const found = devicesOf(seat);
  return {
    ...capacityOf(seat),
    devices: found && {
      kind: found.kind,
      devices: found.devices.map(({ device }) => device),
    },
    enabled: seat.policy.enabled && seat.mode() === 'open',
    inviting: facts !== undefined && !AWAY.includes(link),
    able: facts === undefined || facts.runtime !== undefined,
    usedTasks: 0,
    usedCpus: 0,
    usedMemoryBytes: 0,
    usedGpus: [],
  };
}
