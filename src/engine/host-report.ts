/** A host as the door shows it: what is configured, found, used, and how its link stands. */
import { isEnded } from '../domain/state.ts';
import type { ServiceDeps } from './create-service.ts';
import { devicesOf } from './rooms.ts';
import type { Seat } from './seats.ts';
import type { HostReport } from './service.ts';

export function createHostReport(deps: ServiceDeps): (seat: Seat) => HostReport {
  const { placer, ledger } = deps;

  function report(seat: Seat): HostReport {
    const { policy } = seat;
    const room = placer.room(seat);
    const { maxTasks, usedTasks, cpus, usedCpus, memoryBytes, usedMemoryBytes, gpus } = room;
    const usedGpus = room.usedGpus.length;
    return {
      name: seat.name,
      type: policy.type,
      address: policy.address,
      scheduler: policy.jobs?.scheduler.kind ?? 'none',
      link: seat.host.linkState(),
      mode: seat.mode(),
      modeSince: deps.modes.last(seat.name)?.at,
      root: policy.root,
      facts: factsOf(seat),
      slots: {
        ...{ maxTasks, usedTasks, cpus: known(cpus), usedCpus },
        ...{ memoryBytes: known(memoryBytes), usedMemoryBytes, gpus: known(gpus), usedGpus },
      },
      tags: [...policy.tags],
      gpus: gpusOf(seat),
      counters: seat.host.counters(),
      budget: budgetOf(seat),
      lastFailure: seat.lastFailure(),
    };
  }

  function gpusOf(seat: Seat): HostReport['gpus'] {
    const { kind, devices = [] } = devicesOf(seat) ?? {};
    const holder = (device: string) =>
      [...ledger.live()].find(
        ({ state }) =>
          !isEnded(state) &&
          'host' in state &&
          state.host === seat.name &&
          state.gpus?.devices.includes(device) === true,
      )?.id;
    return devices.map((gpu) => ({ kind: kind ?? 'nvidia', ...gpu, task: holder(gpu.device) }));
  }

  return report;
}

/** Of a cluster nobody counts what there is. */
function known(amount: number | undefined): number | undefined {
  return amount === Number.POSITIVE_INFINITY ? undefined : amount;
}

/** The GPUs stand apart, with who has them. */
function factsOf(seat: Seat): HostReport['facts'] {
  const facts = seat.knownFacts();
  if (facts === undefined) return undefined;
  const { gpus: _gpus, ...rest } = facts;
  return rest;
}

function budgetOf({ host, polls }: Seat): HostReport['budget'] {
  const budget = host.budget();
  return budget && { ...budget, polls: polls.use() };
}
