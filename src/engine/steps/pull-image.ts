/** Has one of the task's images on its host: candidates in order, the first that can be had. */
import type { NewsEvent } from '../../domain/events.ts';
import { type AppError, type FailureRecord, toAppError } from '../../domain/failure.ts';
import type { ReadyImage } from '../../domain/state.ts';
import type { Task, TaskId } from '../../domain/task.ts';
import type { Store } from '../../store/store.ts';
import type { Step, StepContext } from '../dispatcher.ts';
import type { ImageKeeper } from '../images.ts';
import { findReusable } from '../reuse.ts';
import type { Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import type { EngineSettings, HostPolicy } from '../settings.ts';
import { tellPull } from './pull-story.ts';

interface PullDeps {
  store: Pick<Store, 'listTasks' | 'daemonId'>;
  seats: Seats;
  images: Pick<ImageKeeper, 'have'>;
  settings: () => Pick<EngineSettings, 'defaults'>;
  onProgress: (task: TaskId, progress: Progress) => void;
}

export function createPullImage(deps: PullDeps): Step {
  const { seats, images, settings, onProgress } = deps;
  return async (context) => {
    const { task, attempt, signal } = context;
    if (task.state.kind !== 'pulling') throw new Error(`pulling while ${task.state.kind}`);
    const seat = seats.get(task.state.host);
    const failures: FailureRecord[] = [];
    const newer = newerOf(task, seat.policy, settings().defaults);
    const have = async (reference: string): Promise<ReadyImage> => {
      const story = tellPull(context, reference);
      const watch = {
        signal,
        newer,
        onStale: (error: AppError) => story.stale(error),
        onProgress: (bytesDone: number, bytesTotal?: number) => {
          story.running();
          onProgress(task.id, { step: 'pull', what: reference, bytesDone, bytesTotal });
        },
        onWait: (error: AppError, at: number) => story.waits(error, at),
      };
      try {
        const image = await images.have(seat, reference, watch);
        await story.finished(image);
        return image;
      } catch (thrown) {
        const error = toAppError(thrown);
        const gaveUp = isImageTrouble(error) || error.code === 'HOST_NO_SPACE';
        if (gaveUp && !signal.aborted) await story.gaveUp(error);
        throw error;
      }
    };
    for (const reference of task.spec.images) {
      try {
        const image = await have(reference);
        const then = await haveThen(task, image, have);
        return await reusedOrReady(deps, context, { ...image, ...then });
      } catch (thrown) {
        const error = toAppError(thrown);
        if (signal.aborted || !isImageTrouble(error)) throw error;
        failures.push(error.in({ task: task.id }).toRecord());
      }
    }
    return { kind: 'step-failed', attempt, failure: allFailed(task, failures) };
  };
}

/** The images of further steps, in order; one that several name is asked for once. */
async function haveThen(
  { spec: { then = [] } }: Task,
  first: ReadyImage,
  have: (reference: string) => Promise<ReadyImage>,
): Promise<Pick<ReadyImage, 'then'>> {
  const known = new Map([[first.reference, first]]);
  const images: ReadyImage[] = [];
  for (const { image: reference } of then) {
    const image = known.get(reference) ?? (await have(reference));
    known.set(reference, image);
    images.push(image);
  }
  return images.length === 0 ? {} : { then: images };
}

/** Its inputs and its image are there: what it would do is known, and whether that was done before. */
async function reusedOrReady(
  deps: PullDeps,
  { task, attempt, signal }: StepContext,
  image: ReadyImage,
): Promise<NewsEvent> {
  const ready = { kind: 'image-ready', attempt, image } as const;
  const { spec, state } = task;
  // another attempt was asked for, or one may have begun
  if (spec.reuse !== true || attempt > 1 || state.kind !== 'pulling' || state.tried) return ready;
  const { host, inputs } = state;
  const found = await findReusable(deps, { spec, inputs, image, host }, signal);
  return found.kind === 'none'
    ? { ...ready, notReused: found.why }
    : { ...found.taken, kind: 'reused', attempt, image };
}

/** What the task says goes before its host, and that before the defaults. */
function newerOf(
  { spec }: Task,
  { pull }: Pick<HostPolicy, 'pull'>,
  defaults: EngineSettings['defaults'],
): { everyMs: number } | undefined {
  const when = spec.pull ?? pull.when ?? defaults.pullWhen;
  return when === 'newer' ? { everyMs: pull.askEveryMs ?? 0 } : undefined;
}

/** The image's own trouble, after all its tries: the next candidate may do. A host that is away is waited for. */
function isImageTrouble(error: AppError): boolean {
  return error.code.startsWith('IMAGE_') && error.code !== 'IMAGE_SOURCE_AWAY';
}

function allFailed(task: Task, failures: FailureRecord[]): FailureRecord {
  const [first] = failures;
  if (first === undefined) throw new Error(`task ${task.id} names no image`);
  if (failures.length === 1) return first;
  const list = failures.map((failure) => failure.message).join('; ');
  return { ...first, message: `none of ${failures.length} images can be had: ${list}` };
}
