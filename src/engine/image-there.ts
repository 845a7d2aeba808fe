/** The image that a host has already, whatever its registry would say. */
import type { AppError } from '../domain/failure.ts';
import type { ReadyImage } from '../domain/state.ts';
import { imageThereText, parseImageThere } from '../script/image-ready.ts';
import { type ImageRef, imageKey } from '../script/image-ref.ts';
import type { Seat } from './seats.ts';

interface Wanted {
  seat: Seat;
  facts: { root: string };
  ref: ImageRef;
}

export function imageDirectory({ policy }: Seat, { root }: { root: string }): string {
  return policy.imageCacheDir ?? `${root}/images`;
}

export async function imageThere({ seat, facts, ref }: Wanted): Promise<ReadyImage | undefined> {
  const purpose = `looking for image ${ref.reference} on ${seat.name}`;
  const text = imageThereText({ directory: imageDirectory(seat, facts), key: imageKey(ref) });
  const { output } = await seat.host.run(text, { purpose });
  const found = parseImageThere(output, purpose);
  if (found === undefined) return undefined;
  const { path, sha256, digest } = found;
  return { reference: ref.reference, path, sha256, digest };
}

/** Trouble of a pull, and not of the way to the host: what is there can still be run. */
export function isOfPull({ code }: AppError): boolean {
  return code.startsWith('IMAGE_') || code === 'HOST_NO_SPACE';
}
