/** What the door asks about the images on a host. */
import { AppError } from '../domain/failure.ts';
import { isEnded, type TaskState } from '../domain/state.ts';
import { imageKey, parseImage } from '../script/image-ref.ts';
import {
  imageListText,
  imageRemoveText,
  parseImageList,
  parseImageRemove,
} from '../script/pull.ts';
import type { ServiceDeps } from './create-service.ts';
import { hasRoot, imageSeat } from './image-seats.ts';
import { imageDirectory } from './image-there.ts';
import { pruneImages, removalsOf } from './prune-images.ts';
import type { Seat } from './seats.ts';
import type { ImageReport, Service } from './service.ts';

type ImageService = Pick<Service, 'images' | 'pullImage' | 'removeImage' | 'pruneImages'>;

export function createImageService(deps: ServiceDeps): ImageService {
  const { seats, images, ledger, store, now } = deps;
  return {
    images: async (host) => list(deps, imageSeat(seats, host)),
    async pullImage(host, reference, { signal }) {
      const seat = seats.get(host);
      const image = await images.have(seat, reference, {
        ...{ signal, onProgress: () => {}, urgent: true },
      });
      const found = (await list(deps, seat)).find((candidate) => candidate.path === image.path);
      return found ?? { ...image, bytes: 0 };
    },
    async removeImage(host, reference) {
      const seat = imageSeat(seats, host);
      const ref = parseImage(reference);
      if (ref.kind === 'sif') {
        throw new AppError(
          'IMAGE_REFERENCE_INVALID',
          `${reference} is a file of the user's; Towline never removes it`,
        );
      }
      const directory = await cacheOf(seat);
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
    async pruneImages(host, request) {
      const seat = imageSeat(seats, host);
      if (isUnlisted(deps, seat) && !(await hasRoot(seat))) return NOTHING;
      const report = await pruneImages(deps, seat, request);
      const lines = removalsOf(report.images, { host, at: now() });
      if (!request.dryRun && lines.length > 0) await store.recordRemovals(lines);
      return report;
    },
  };
}

const NOTHING = { images: [], kept: { inUse: 0, recent: 0 } };

function isUnlisted({ seats }: Pick<ServiceDeps, 'seats'>, seat: Seat): boolean {
  return !seats.all().includes(seat);
}

async function cacheOf(seat: Seat): Promise<string> {
  return imageDirectory(seat, await seat.facts());
}

async function list({ seats }: Pick<ServiceDeps, 'seats'>, seat: Seat): Promise<ImageReport[]> {
  if (isUnlisted({ seats }, seat) && !(await hasRoot(seat))) return [];
  const host = seat.name;
  const text = imageListText({ directory: await cacheOf(seat) });
  const reply = await seat.host.run(text, { purpose: `listing the images of ${host}` });
  return parseImageList(reply.output, { host });
}

function uses(state: TaskState, host: string, reference: string): boolean {
  if (isEnded(state) || !('host' in state) || state.host !== host) return false;
  return 'image' in state && state.image?.reference === reference;
}
