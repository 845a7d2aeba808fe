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
import type { Seat } from './seats.ts';
import type { ImageReport, Service } from './service.ts';

type ImageService = Pick<Service, 'images' | 'pullImage' | 'removeImage'>;

export function createImageService({ seats, images, ledger }: ServiceDeps): ImageService {
  return {
    images: (host) => list(seats.get(host)),
    async pullImage(host, reference, { signal }) {
      const seat = seats.get(host);
      const image = await images.have(seat, reference, {
        ...{ signal, onProgress: () => {}, urgent: true },
      });
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

function uses(state: TaskState, host: string, reference: string): boolean {
  if (isEnded(state) || !('host' in state) || state.host !== host) return false;
  return 'image' in state && state.image?.reference === reference;
}
