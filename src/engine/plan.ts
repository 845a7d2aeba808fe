/** What would happen with a task: script and moves, made by the same makers as the launch; nothing is done. */
import { posix } from 'node:path';
import type { GpuGrant, StagedInputs } from '../domain/state.ts';
import {
  attemptToken,
  destinationOf,
  sourceText,
  type TaskId,
  type TaskSpec,
} from '../domain/task.ts';
import { imageKey, parseImage } from '../script/image-ref.ts';
import { placeInputs } from '../script/input-places.ts';
import type { ServiceDeps } from './create-service.ts';
import { launchFiles } from './launch-files.ts';
import { ANY_HOST, pathValues, placesOf } from './places.ts';
import type { Seat } from './seats.ts';
import type { HostPlan } from './service.ts';

const SAMPLE_TOKEN = attemptToken('task' as TaskId, 1);
const SAMPLE_HASH = '0'.repeat(64);

type PlanDeps = Pick<ServiceDeps, 'seats' | 'store' | 'placer'> &
  Partial<Pick<ServiceDeps, 'settings'>>;

/** @throws TASK_INVALID IMAGE_REFERENCE_INVALID HOST_UNKNOWN SLURM_LIMIT */
export function makePlan(
  { seats, store, placer, settings }: PlanDeps,
  spec: TaskSpec,
  gpus?: GpuGrant,
): HostPlan {
  const defaults = settings?.().defaults;
  const seat = spec.host === undefined ? leastLoaded(seats.all(), placer) : seats.get(spec.host);
  const facts = seat.knownFacts();
  const { root, shown } = rootOf(facts?.root ?? seat.policy.root);
  const dir = `${root}/tasks/${store.daemonId}/${SAMPLE_TOKEN}`;
  const reference = spec.images[0] ?? '';
  const imagePath = imagePathOf(seat, root, reference);
  const inputs = sampleInputs(spec);
  const runtime = facts?.runtime ?? { path: seat.policy.runtime, version: '' };
  const { runtimeArgs, setup } = seat.policy;
  const values = facts === undefined ? ANY_HOST : pathValues(facts);
  const places = placesOf(spec, values, { policy: seat.policy, defaults });
  const defaultSignal = facts?.tools.defaultSignal ?? true;
  const content = {
    spec,
    token: SAMPLE_TOKEN,
    dir,
    inputs,
    imagePath,
    runtime,
    runtimeArgs,
    setup,
    defaultSignal,
    places,
    gpus,
  };
  const files = launchFiles(content).map(({ name, content: text }) => [name, shown(text)] as const);
  return {
    host: seat.name,
    attemptDir: shown(dir),
    image: { reference, path: shown(imagePath) },
    images: spec.images.map((candidate) => ({
      reference: candidate,
      path: shown(imagePathOf(seat, root, candidate)),
    })),
    inputs: spec.inputs.map(({ source, target }) => ({
      from: source.kind === 'remote' ? source.path : sourceText(source),
      to: target.startsWith('/') ? target : posix.join('/mnt/task/inputs', target),
    })),
    outputs: spec.outputs.map((output) => ({
      from: posix.resolve('/mnt/task/work', output.pattern),
      to: destinationOf(output),
    })),
    files: Object.fromEntries(files),
    ...jobOf(spec, seat),
  };
}

function jobOf(spec: TaskSpec, { policy }: Seat): Pick<HostPlan, 'job'> {
  if (policy.jobs === undefined) return {};
  const { args, notes } = policy.jobs.scheduler.request(spec);
  return { job: { args: [...args], notes: [...notes] } };
}

/**
 * A root that only the host can expand (`~`, $SCRATCH) is no path yet: the makers get one that stands
 * for it, and what they made is shown as it is configured.
 */
function rootOf(root: string): { root: string; shown: (text: string) => string } {
  if (root.startsWith('/')) return { root, shown: (text) => text };
  return { root: `/${root}`, shown: (text) => text.replaceAll(`/${root}`, root) };
}

/** Makes the script of a task once, so that what cannot be carried is said at submit. @throws TASK_INVALID */
export function sampleScript(spec: TaskSpec): void {
  const inputs = sampleInputs(spec);
  placeInputs(inputs.files, spec.volumes);
  launchFiles({
    spec,
    token: SAMPLE_TOKEN,
    dir: '/towline',
    inputs,
    imagePath: '/image.sif',
    runtime: { path: 'apptainer', version: '' },
    runtimeArgs: [],
    defaultSignal: true,
    places: placesOf(spec, ANY_HOST),
  });
}

/** The inputs as they will be staged, with a hash that stands for the real one: they have the same places and mounts. */
export function sampleInputs(spec: TaskSpec): StagedInputs {
  const files = spec.inputs.map(({ source, target }): StagedInputs['files'][number] => {
    if (source.kind === 'directory') return { kind: 'directory', target };
    if (source.kind === 'url' && source.directory) return { kind: 'directory', target };
    if (source.kind === 'remote') return { kind: 'remote', path: source.path, target };
    // a file or a directory: nobody knows yet
    if (source.kind === 'output') return { kind: 'directory', target };
    return { kind: 'object', sha256: SAMPLE_HASH, mode: 0o444, target, bytes: 0 };
  });
  return { files };
}

function imagePathOf(seat: Seat, root: string, reference: string): string {
  const ref = parseImage(reference);
  if (ref.kind === 'sif') return ref.path;
  return `${seat.policy.imageCacheDir ?? `${root}/images`}/${imageKey(ref)}.sif`;
}

function leastLoaded(seats: Seat[], placer: PlanDeps['placer']): Seat {
  const [first, ...rest] = seats;
  if (first === undefined) throw new Error('checkSpec lets no task through without a host');
  const load = (seat: Seat): number =>
    placer.room(seat).usedTasks / Math.max(1, seat.policy.maxTasks);
  return rest.reduce((best, seat) => (load(seat) < load(best) ? seat : best), first);
}
