/** What the door asks about hosts and the images on them. */

import { AppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { imageKey, parseImage } from '../script/image-ref.ts';
import {
  imageListText,
  imageRemoveText,
  parseImageList,
  parseImageRemove,
} from '../script/pull.ts';
import type { ServiceDeps } from './create-service.ts';
import { createLogins } from './logins.ts';
import type { Seat } from './seats.ts';
import type { HostReport, ImageReport, Service } from './service.ts';

type HostService = Pick<
  Service,
  'hosts' | 'host' | 'login' | 'images' | 'pullImage' | 'removeImage'
>;

export function createHostService(deps: ServiceDeps): HostService {
  const { seats, placer, images, ledger } = deps;
  const sessionId = (): string => Buffer.from(deps.randomBytes(16)).toString('hex');
  const logins = createLogins({ sessionId });

  function report(seat: Seat): HostReport {
    const { policy } = seat;
    const { maxTasks, usedTasks, cpus, usedCpus, memoryBytes, usedMemoryBytes } = placer.room(seat);
    return {
      name: seat.name,
      type: policy.type,
      address: policy.address,
      scheduler: 'none',
      link: seat.host.linkState(),
      root: policy.root,
      facts: seat.knownFacts(),
      slots: { maxTasks, usedTasks, cpus, usedCpus, memoryBytes, usedMemoryBytes },
      counters: seat.host.counters(),
      budget: budgetOf(seat),
      lastFailure: seat.lastFailure(),
    };
  }

  return {
    hosts: () => seats.all().map(report),
    async host(name, { probe }) {
      const seat = seats.get(name);
      // The failure is part of the report; asking for it does not fail.
      if (probe) {
        seat.host.wake();
        await seat.facts().catch(() => undefined);
      }
      return report(seat);
    },
    async login(name, request, { signal }) {
      const seat = seats.get(name);
      const step = await logins.step(seat, request, signal);
      return step.done ? { done: true, host: report(seat) } : step;
    },
    images: (host) => list(seats.get(host)),
    async pullImage(host, reference, { signal }) {
      const seat = seats.get(host);
      const image = await images.have(seat, reference, { signal, onProgress: () => {} });
      const found = (await list(seat)).find((candidate) => candidate.path === image.path);
      return found ?? { ...image, bytes: 0 };
    },
    async removeImage(host, reference) {
      const seat = seats.get(host);
      const ref = parseImage(reference);
      if (ref.kind === 'sif') {
        throw new AppError(
          'IMAGE_REFERENCE_INVALID',
          `${reference} is a file of the user's; Towline never removes it`,
        );
      }
      const { directory } = await cacheOf(seat);
      const used = [...ledger.live()].find((task) => uses(task.state, host, ref.reference));
      if (used !== undefined) {
        throw new AppError(
          'IMAGE_IN_USE',
          `image ${ref.reference} is used on ${host} by task ${used.id}`,
          {
            context: { task: used.id, host, image: ref.reference },
          },
        );
      }
      const text = imageRemoveText({ directory, key: imageKey(ref) });
      const reply = await seat.host.run(text, { purpose: `removing image ${ref.reference}` });
      parseImageRemove(reply.output, { host, image: ref.reference });
    },
  };
}

function budgetOf({ host, polls }: Seat): HostReport['budget'] {
  const budget = host.budget();
  return budget && { ...budget, polls: polls.use() };
}

async function cacheOf(seat: Seat): Promise<{ directory: string; host: string }> {
  const facts = await seat.facts();
  return { directory: seat.policy.imageCacheDir ?? `${facts.root}/images`, host: seat.name };
}

async function list(seat: Seat): Promise<ImageReport[]> {
  const { directory, host } = await cacheOf(seat);
  const text = imageListText({ directory });
  const reply = await seat.host.run(text, { purpose: `listing the images of ${host}` });
  return parseImageList(reply.output, { host });
}

function uses(
  state: import('../domain/state.ts').TaskState,
  host: string,
  reference: string,
): boolean {
  if (isEnded(state) || !('host' in state) || state.host !== host) return false;
  return 'image' in state && state.image?.reference === reference;
}
