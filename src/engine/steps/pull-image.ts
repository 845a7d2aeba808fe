/** Has one of the task's images on its host: candidates in order, the first that can be had. */
import { type AppError, type FailureRecord, toAppError } from '../../domain/failure.ts';
import type { Task, TaskId } from '../../domain/task.ts';
import type { Step } from '../dispatcher.ts';
import type { ImageKeeper } from '../images.ts';
import type { Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import type { EngineSettings, HostPolicy } from '../settings.ts';
import { tellPull } from './pull-story.ts';

interface PullDeps {
  seats: Seats;
  images: Pick<ImageKeeper, 'have'>;
  settings: () => Pick<EngineSettings, 'defaults'>;
  onProgress: (task: TaskId, progress: Progress) => void;
}

export function createPullImage({ seats, images, settings, onProgress }: PullDeps): Step {
  return async (context) => {
    const { task, attempt, signal } = context;
    if (task.state.kind !== 'pulling') throw new Error(`pulling while ${task.state.kind}`);
    const seat = seats.get(task.state.host);
    const failures: FailureRecord[] = [];
    const newer = newerOf(task, seat.policy, settings().defaults);
    for (const reference of task.spec.images) {
      const story = tellPull(context, reference);
      const watch = {
        signal,
        newer,
        onStale: (error: AppError) => story.stale(error),
        onProgress: (bytesDone: number) => {
          story.running();
          onProgress(task.id, { step: 'pull', what: reference, bytesDone });
        },
        onWait: (error: AppError, at: number) => story.waits(error, at),
      };
      try {
        const image = await images.have(seat, reference, watch);
        await story.finished(image);
        return { kind: 'image-ready', attempt, image };
      } catch (thrown) {
        const error = toAppError(thrown);
        if (signal.aborted) throw error;
        if (isImageTrouble(error) || error.code === 'HOST_NO_SPACE') await story.gaveUp(error);
        if (!isImageTrouble(error)) throw error;
        failures.push(error.in({ task: task.id }).toRecord());
      }
    }
    return { kind: 'step-failed', attempt, failure: allFailed(task, failures) };
  };
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
