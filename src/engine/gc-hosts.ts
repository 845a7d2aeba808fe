/** Leftovers on the hosts: what no task needs, found and removed by one text; images only when asked for. */

import { toAppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { imageKey, parseImage } from '../script/image-ref.ts';
import { leftoversText, parseLeftovers } from '../script/leftovers.ts';
import {
  imageListText,
  imageRemoveText,
  parseImageList,
  parseImageRemove,
} from '../script/pull.ts';
import { type GcRun, removed } from './gc-run.ts';
import type { Seat } from './seats.ts';

/** A host whose answers never end is left after so many. */
const RUNS_MAX = 100;
const RUN_MS_MAX = 600_000;

/** A host that cannot be asked is told and does not keep the others. */
export async function sweepHosts(run: GcRun): Promise<void> {
  const { request, deps, report } = run;
  const all = request.host === undefined ? deps.seats.all() : [deps.seats.get(request.host)];
  // By itself the daemon makes no connection for this.
  const seats = request.auto === true ? all.filter(isReady) : all;
  await Promise.all(
    seats.map(async (seat) => {
      try {
        await sweepHost(run, seat);
      } catch (thrown) {
        const { code, message } = toAppError(thrown);
        report.away.push({ host: seat.name, code, message });
      }
    }),
  );
}

function isReady(seat: Seat): boolean {
  return seat.mode() !== 'paused' && seat.host.linkState().kind === 'ready';
}

async function sweepHost(run: GcRun, seat: Seat): Promise<void> {
  const { deps, request, at } = run;
  const { root } = await seat.facts();
  const imageDirectory = seat.policy.imageCacheDir ?? `${root}/images`;
  for (let runs = 0; runs < RUNS_MAX; runs += 1) {
    const text = leftoversText({
      ...{ root, imageDirectory, daemonId: deps.store.daemonId },
      nonce: Buffer.from(deps.randomBytes(8)).toString('hex'),
      olderThanMs: request.olderThanMs ?? deps.settings().defaults.keepFailedMs,
      remove: !request.dryRun,
    });
    const purpose = `${request.dryRun ? 'looking for' : 'removing'} what is not needed on ${seat.name}`;
    const reply = await seat.host.run(text, { purpose, lane: 'slow', deadlineMs: RUN_MS_MAX });
    const { found, more } = parseLeftovers(reply.output, { host: seat.name });
    await removed(
      run,
      found.map(({ kind, count, bytes }) => ({
        ...{ at, kind, what: WORDS[kind], host: seat.name, count, bytes },
      })),
    );
    if (!more || request.dryRun) break;
  }
  if (request.images === true) await removeImages(run, seat, imageDirectory);
}

const WORDS = {
  objects: 'staged inputs',
  parts: 'parts of uploads',
  unpublished: 'attempts never published',
  marks: 'marks of removed attempts',
  pulls: 'remains of pulls',
} as const;

/** Those that Towline pulled, longer ago than asked, and no task uses just now. */
async function removeImages(run: GcRun, seat: Seat, directory: string): Promise<void> {
  const { deps, request, at } = run;
  const { name: host } = seat;
  const purpose = `listing the images of ${host}`;
  const reply = await seat.host.run(imageListText({ directory }), { purpose });
  const before = at - (request.olderThanMs ?? deps.settings().defaults.keepFailedMs);
  for (const { reference, bytes, pulledAt } of parseImageList(reply.output, { host })) {
    if (pulledAt === undefined || pulledAt > before || isWanted(run, host, reference)) continue;
    const ref = parseImage(reference);
    if (ref.kind === 'sif') continue;
    if (!request.dryRun) {
      const text = imageRemoveText({ directory, key: imageKey(ref) });
      const said = await seat.host.run(text, { purpose: `removing image ${reference}` });
      parseImageRemove(said.output, { host, image: reference });
    }
    await removed(run, [{ at, kind: 'image', what: reference, host, count: 1, bytes }]);
  }
}

/** A task that has not ended may name it as it is written or as it is understood. */
function isWanted({ deps }: GcRun, host: string, reference: string): boolean {
  return [...deps.ledger.live()].some(({ state, spec }) => {
    if (isEnded(state)) return false;
    if ('host' in state && state.host !== host) return false;
    return spec.images.some((image) => parseImage(image).reference === reference);
  });
}
