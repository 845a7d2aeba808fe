/**
 * What can happen to a task. Events name the attempt they speak of: news of an older attempt is
 * recognised and ignored.
 */
import type { FailureRecord } from './failure.ts';
import type {
  Blocked,
  CollectedOutput,
  ExitRecord,
  GpuGrant,
  HookEnd,
  JobRecord,
  KeptOutputs,
  LaunchRecord,
  ReadyImage,
  Reused,
  StagedInputs,
} from './state.ts';
import type { TaskId } from './task.ts';

/** What somebody asks for, whatever attempt there is. */
export type AskedEvent =
  | { kind: 'cancel-asked' }
  | { kind: 'retry-asked' }
  | { kind: 'hold-asked' }
  | { kind: 'released' }
  | { kind: 'gc-asked' }
  | { kind: 'predecessor-ended'; id: TaskId; succeeded: boolean };

/** News of one attempt, from the engine and the host. */
export type NewsEvent =
  | { kind: 'placed'; attempt: number; host: string; gpus?: GpuGrant | undefined }
  | { kind: 'staged'; attempt: number; inputs: StagedInputs }
  | {
      kind: 'image-ready';
      attempt: number;
      image: ReadyImage;
      notReused?: string | undefined;
    }
  /** An earlier task like it succeeded, and what it made is still there. */
  | {
      kind: 'reused';
      attempt: number;
      image: ReadyImage;
      reused: Reused;
      exit?: ExitRecord | undefined;
      outputs: CollectedOutput[];
      kept?: KeptOutputs | undefined;
    }
  /** A pull of the image named is under way for the task; nothing of it when the image is there. */
  | { kind: 'pull-started'; attempt: number; image: string }
  /** One try failed; without a time it was the last. */
  | {
      kind: 'pull-failed';
      attempt: number;
      image: string;
      failure: FailureRecord;
      nextTryAt?: number | undefined;
    }
  | { kind: 'pull-finished'; attempt: number; image: ReadyImage }
  /** Whether the tag moved could not be found out: the image that is there is used. */
  | { kind: 'pull-not-asked'; attempt: number; image: string; failure: FailureRecord }
  | { kind: 'image-gone'; attempt: number }
  | { kind: 'inputs-gone'; attempt: number }
  /** A scheduler has it, and it starts when the scheduler lets it. */
  | { kind: 'job-submitted'; attempt: number; job: JobRecord }
  | { kind: 'launched'; attempt: number; launch: LaunchRecord }
  | { kind: 'exited'; attempt: number; exit: ExitRecord }
  | { kind: 'died'; attempt: number; failure: FailureRecord }
  | {
      kind: 'collected';
      attempt: number;
      outputs: CollectedOutput[];
      kept?: KeptOutputs | undefined;
    }
  | { kind: 'gone'; attempt: number; exit?: ExitRecord | undefined }
  /** `bytes`: what the directory took on the host, if it was there. */
  | { kind: 'cleaned'; attempt: number; bytes?: number | undefined }
  /** The command to be run at the end of the task has ended itself, or was not to be run any more. */
  | { kind: 'hook-ended'; attempt: number; hook: HookEnd }
  | { kind: 'blocked'; attempt: number; blocked: Blocked }
  | { kind: 'unblocked'; attempt: number }
  | {
      kind: 'step-failed';
      attempt: number;
      failure: FailureRecord;
      exit?: ExitRecord | undefined;
      outputs?: CollectedOutput[] | undefined;
    };

export type TaskEvent = AskedEvent | NewsEvent;
