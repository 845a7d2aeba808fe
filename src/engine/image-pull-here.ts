/** A pull by a host whose images another one can send, should its own way to the registry be cut. */
import { isAppError, toAppError } from '../domain/failure.ts';
import type { ReadyImage } from '../domain/state.ts';
import { type ImageRef, registryOf } from '../script/image-ref.ts';
import { imageThere } from './image-there.ts';
import type { ImageKeeper, PullWatch } from './images.ts';
import type { PullMemory } from './pull-memory.ts';
import type { Seat } from './seats.ts';

interface Wish extends PullWatch {
  seat: Seat;
  ref: Extract<ImageRef, { kind: 'registry' }>;
}

/**
 * By the host itself. A registry that it could not reach a moment ago is not tried again for the next image,
 * until a time that doubles. @throws as the keeper, and IMAGE_REGISTRY_UNREACHABLE as it was remembered
 */
export async function pullHere(
  wish: Wish,
  { keeper, cut }: { keeper: Pick<ImageKeeper, 'have'>; cut: PullMemory },
): Promise<ReadyImage> {
  const { seat, ref, newer } = wish;
  const road = roadOf(seat, ref);
  try {
    cut.check(road);
  } catch (known) {
    const facts = await seat.ready();
    const there = newer === undefined ? await imageThere({ seat, ref, facts }) : undefined;
    if (there !== undefined) return there;
    throw known;
  }
  let asked = false;
  const onProgress: Wish['onProgress'] = (...bytes) => {
    asked = true;
    wish.onProgress(...bytes);
  };
  const watch = { ...wish, onProgress, newer: newer && { ...newer, strict: true } };
  try {
    const image = await keeper.have(trying(seat, 1), ref.reference, watch);
    if (asked) cut.forget(road);
    return image;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== 'IMAGE_REGISTRY_UNREACHABLE' || wish.signal.aborted) throw error;
    // the image's own memory has said the same of the image
    const said = isAppError(error.cause) ? error.cause : error;
    throw cut.gaveUp(road, said, seat.policy.pull.memory);
  }
}

export function roadOf({ name }: Seat, ref: Wish['ref']): string {
  return `${name} ${registryOf(ref)}`;
}

/** Where somebody else can be asked, one refusal is enough: a road that is cut mostly stays so. */
function trying(seat: Seat, attempts: number): Seat {
  const { policy } = seat;
  return { ...seat, policy: { ...policy, pull: { ...policy.pull, attempts } } };
}
