/** What the door asks about hosts. */
import { isEnded } from '../domain/state.ts';
import type { ServiceDeps } from './create-service.ts';
import { examine } from './doctor/doctor.ts';
import { createHostActs } from './host-acts.ts';
import { createLogins } from './logins.ts';
import { devicesOf } from './rooms.ts';
import type { Seat } from './seats.ts';
import type { HostReport, Service } from './service.ts';

type HostService = Pick<
  Service,
  'hosts' | 'host' | 'doctor' | 'login' | 'setHostMode' | 'setupHost'
>;

export function createHostService(deps: ServiceDeps): HostService {
  const { seats, placer, ledger } = deps;
  const sessionId = (): string => Buffer.from(deps.randomBytes(16)).toString('hex');
  const logins = createLogins({ sessionId });

  function report(seat: Seat): HostReport {
    const { policy } = seat;
    const room = placer.room(seat);
    const { maxTasks, usedTasks, cpus, usedCpus, memoryBytes, usedMemoryBytes, gpus } = room;
    const usedGpus = room.usedGpus.length;
    return {
      name: seat.name,
      type: policy.type,
      address: policy.address,
      scheduler: 'none',
      link: seat.host.linkState(),
      mode: seat.mode(),
      modeSince: deps.modes.last(seat.name)?.at,
      root: policy.root,
      facts: factsOf(seat),
      slots: {
        ...{ maxTasks, usedTasks, cpus, usedCpus },
        ...{ memoryBytes, usedMemoryBytes, gpus, usedGpus },
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

  return {
    hosts: () => seats.all().map(report),
    async host(name, { probe }) {
      const seat = seats.get(name);
      // The failure is part of the report; asking for it does not fail.
      if (probe && seat.mode() !== 'paused') {
        seat.host.wake();
        await seat.facts().catch(() => undefined);
      }
      return report(seat);
    },
    doctor: (name) => examine({ ...seats.get(name), now: deps.now }),
    async login(name, request, { signal }) {
      const seat = seats.get(name);
      const step = await logins.step(seat, request, signal);
      return step.done ? { done: true, host: report(seat) } : step;
    },
    ...createHostActs(deps, report),
  };
}

function budgetOf({ host, polls }: Seat): HostReport['budget'] {
  const budget = host.budget();
  return budget && { ...budget, polls: polls.use() };
}

/** The GPUs stand apart, with who has them. */
function factsOf(seat: Seat): HostReport['facts'] {
  const facts = seat.knownFacts();
  if (facts === undefined) return undefined;
  const { gpus: _gpus, ...rest } = facts;
  return rest;
}
