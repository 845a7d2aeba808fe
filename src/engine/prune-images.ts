/** Has a host remove the images that no task used for long. */
import { isEnded } from '../domain/state.ts';
import { type PrunedImage, type PruneReply, parsePrune, pruneText } from '../script/image-prune.ts';
import { imageKey, parseImage } from '../script/image-ref.ts';
import type { NewRemoval } from '../store/store.ts';
import { imageDirectory } from './image-there.ts';
import type { Ledger } from './ledger.ts';
import type { Seat } from './seats.ts';

export interface PruneRequest {
  olderThanMs: number;
  dryRun: boolean;
}

export interface PruneReport {
  images: PrunedImage[];
  /** How many stay, by why. */
  kept: PruneReply['kept'];
}

const PRUNE_MS_MAX = 600_000;

interface PruneDeps {
  ledger: Pick<Ledger, 'live'>;
  randomBytes: (count: number) => Uint8Array;
}

export async function pruneImages(
  deps: PruneDeps,
  seat: Seat,
  { olderThanMs, dryRun }: PruneRequest,
): Promise<PruneReport> {
  const facts = await seat.facts();
  const text = pruneText({
    ...{ directory: imageDirectory(seat, facts), root: facts.root, olderThanMs, remove: !dryRun },
    nonce: Buffer.from(deps.randomBytes(8)).toString('hex'),
    ...wishes(deps.ledger, seat.name),
  });
  const purpose = `${dryRun ? 'looking for' : 'removing'} images that no task uses on ${seat.name}`;
  const { output } = await seat.host.run(text, { purpose, lane: 'slow', deadlineMs: PRUNE_MS_MAX });
  const { pruned, kept } = parsePrune(output, { host: seat.name });
  return { images: pruned, kept };
}

/** For the list of what was removed. */
export function removalsOf(
  images: readonly PrunedImage[],
  { host, at }: { host: string; at: number },
): NewRemoval[] {
  return images.map(({ reference, bytes }) => ({
    ...{ at, kind: 'image', what: reference, host, count: 1, bytes },
  }));
}

/** What tasks of this daemon that have not ended run from on a host, or may come to run there. */
function wishes(ledger: Pick<Ledger, 'live'>, host: string): { used: string[]; wanted: string[] } {
  const used: string[] = [];
  const wanted: string[] = [];
  for (const { state, spec } of ledger.live()) {
    if (isEnded(state) || ('host' in state && state.host !== host)) continue;
    const image = 'image' in state ? state.image : undefined;
    const later = (spec.then ?? []).map((step) => step.image);
    if (image === undefined) wanted.push(...[...spec.images, ...later].flatMap(keyOf));
    else used.push(...[image, ...(image.then ?? [])].flatMap(baseOf));
  }
  return { used, wanted };
}

function keyOf(image: string): string[] {
  const ref = parseImage(image);
  return ref.kind === 'sif' ? [] : [imageKey(ref)];
}

/** A file of the user's is none of the cache. */
function baseOf({ reference, path }: { reference: string; path: string }): string[] {
  if (parseImage(reference).kind === 'sif') return [];
  return [path.slice(path.lastIndexOf('/') + 1).replace(/\.sif$/, '')];
}
