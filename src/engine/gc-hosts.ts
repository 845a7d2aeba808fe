/** Leftovers on the hosts: what no task needs, found and removed by one text; images only when asked for. */

import { toAppError } from '../domain/failure.ts';
import { dropHoldsText, holdsText, parseHolds } from '../script/kept.ts';
import { leftoversText, parseLeftovers } from '../script/leftovers.ts';
import { type GcRun, removed } from './gc-run.ts';
import { hasRoot, imageSeat } from './image-seats.ts';
import { imageDirectory } from './image-there.ts';
import { pruneImages, removalsOf } from './prune-images.ts';
import type { Seat } from './seats.ts';

/** A host whose answers never end is left after so many. */
const RUNS_MAX = 100;
const RUN_MS_MAX = 600_000;

/** A host that cannot be asked is told and does not keep the others. */
export async function sweepHosts(run: GcRun): Promise<void> {
  const { request, deps, report } = run;
  const all = request.host === undefined ? everywhere(deps) : [imageSeat(deps.seats, request.host)];
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

/** This machine, too, where it is no host: it may have images for others. */
function everywhere({ seats }: GcRun['deps']): Seat[] {
  const here = seats.here();
  return [...new Set([...seats.all(), ...(here === undefined ? [] : [here])])];
}

function isReady(seat: Seat): boolean {
  return seat.mode() !== 'paused' && seat.host.linkState().kind === 'ready';
}

async function sweepHost(run: GcRun, seat: Seat): Promise<void> {
  const { deps, request, at } = run;
  // no task brought anything there, and a root is not made for this
  if (!deps.seats.all().includes(seat) && !(await hasRoot(seat))) return;
  const facts = await seat.facts();
  const { root } = facts;
  await dropHolds(run, seat, root);
  for (let runs = 0; runs < RUNS_MAX; runs += 1) {
    const text = leftoversText({
      ...{ root, daemonId: deps.store.daemonId },
      imageDirectory: imageDirectory(seat, facts),
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
  if (request.images === true) await removeImages(run, seat);
}

/** What attempts hold that nobody needs any more; its objects are leftovers then. */
async function dropHolds(run: GcRun, seat: Seat, root: string): Promise<void> {
  const { deps, request, at, holding } = run;
  const place = { root, daemonId: deps.store.daemonId };
  const purpose = `looking for shared outputs on ${seat.name}`;
  const { output } = await seat.host.run(holdsText(place), { purpose });
  const unneeded = parseHolds(output, { host: seat.name }).filter((token) => !holding.has(token));
  if (unneeded.length === 0) return;
  if (!request.dryRun) {
    const letGo = `letting go of shared outputs on ${seat.name}`;
    await seat.host.run(dropHoldsText(place, unneeded), { purpose: letGo, lane: 'slow' });
  }
  const { length: count } = unneeded;
  await removed(run, [{ at, kind: 'shared', what: 'shared outputs', host: seat.name, count }]);
}

const WORDS = {
  objects: 'staged inputs',
  parts: 'parts of uploads',
  unpublished: 'attempts never published',
  marks: 'marks of removed attempts',
  pulls: 'remains of pulls',
} as const;

/** Those that no task used for as long as asked, and none uses just now. */
async function removeImages(run: GcRun, seat: Seat): Promise<void> {
  const { deps, request, at } = run;
  const olderThanMs = request.olderThanMs ?? deps.settings().defaults.keepFailedMs;
  const { images } = await pruneImages(deps, seat, { olderThanMs, dryRun: request.dryRun });
  await removed(run, removalsOf(images, { host: seat.name, at }));
}
