/**
 * Where a task can stand. Each state carries exactly its own data, so that "running without a
 * process" cannot be written down. All times are milliseconds since the epoch, UTC.
 *
 *   held ─release→ queued            waiting ─predecessors done→ queued
 *   queued ─a slot→ staging ─inputs there→ pulling ─image there→ launching ─ticket consumed→ running
 *   running ─exit record + both streams complete→ collecting ─outputs here→ succeeded | failed
 *   any before the end ─cancel→ cancelling ─nothing left of it→ cancelled
 *   running ─provably dead, no exit record→ interrupted
 *   any before the end ─Towline or the host cannot→ error
 *
 * Before the ticket is consumed the same attempt is redone for ever; after it a new attempt starts
 * only by the task's retry policy.
 */
import type { FailureRecord } from './failure.ts';
import type { AttemptToken, TaskId, TaskSpec } from './task.ts';

/** Why a task cannot move just now. When it is tried next is a matter of the moment, told by the engine. */
export interface Blocked {
  host: string;
  /** A code of the error registry. */
  reason: string;
  message: string;
  hint: string;
  since: number;
}

/** One staged input: an object of the content store, or a path already on the host. */
export type StagedFile =
  | { kind: 'object'; sha256: string; mode: number; target: string; bytes: number }
  | { kind: 'directory'; target: string }
  | { kind: 'remote'; path: string; target: string };

export interface StagedInputs {
  files: StagedFile[];
  stdin?: { sha256: string; mode: number } | undefined;
}

/** The image an attempt runs. `path` is the SIF on the host. */
export interface ReadyImage {
  reference: string;
  path: string;
  /** sha256 of the SIF, where Towline made it. */
  sha256?: string | undefined;
  /** The digest of its manifest in the registry, where the runtime told it. */
  digest?: string | undefined;
  /** Those of the further steps of the task, in order. */
  then?: ReadyImage[] | undefined;
}

/** What the supervisor wrote down when it consumed the ticket. */
export interface SupervisorRecord {
  nonce: string;
  pid: number;
  /** Field 22 of /proc/<pid>/stat: jiffies since boot. */
  startTicks: string;
  bootId: string;
  machineId: string;
  hostname: string;
  startedAt: number;
}

/** The job of a scheduler that runs an attempt. */
export interface JobRecord {
  /** As the scheduler calls it: `123`, or `123_4` for an element of an array. */
  id: string;
  name: string;
  /** Its directory on the host, and the line of this attempt in it. */
  batch: string;
  index: number;
  /** It runs other attempts, too, one after the other. */
  pilot?: true | undefined;
  /** The line that submitted it. */
  command: string;
  submittedAt: number;
  /** What was made smaller to fit, and the like. */
  notes?: string[] | undefined;
}

/** A supervisor's record and where its attempt is: the root may be configured otherwise by now. */
export interface LaunchRecord extends SupervisorRecord {
  root: string;
  /** What was run on what, as a hash: another task with the same one would do the same. */
  fingerprint?: string | undefined;
  /** Why no earlier task was taken instead, for a task that would have one. */
  notReused?: string | undefined;
  /** Absent: it was started on the host itself. */
  job?: JobRecord | undefined;
}

/** What the command and all it started used, as far as the host can tell. */
export interface Usage {
  /** From its start to its end, the container's start included. */
  wallMs: number;
  cpuUserMs: number;
  cpuSystemMs: number;
  /** Peak of the largest process that was seen. */
  maxRssBytes?: number | undefined;
}

/** What one of several commands of a task came to. Byte counts are those of the streams until then. */
export interface StepEnd {
  code: number;
  startedAt: number;
  finishedAt: number;
  stdoutBytes: number;
  stderrBytes: number;
}

/** How the command ended, as recorded on the host. Byte counts are those of the streams. */
export interface ExitRecord {
  /** Exit code of the user's command; 128+n for a signal. Absent: the container never ran it. */
  code?: number | undefined;
  runtimeCode: number;
  /** `job`: the scheduler had the supervisor end it. */
  limit?: 'time' | 'stdout' | 'stderr' | 'memory' | 'job' | undefined;
  stdoutBytes: number;
  stderrBytes: number;
  finishedAt: number;
  runtimeLogTail?: string | undefined;
  /** True when the supervisor was gone and the record is what the payload's leader left. */
  salvaged?: boolean | undefined;
  usage?: Usage | undefined;
  /** Of a task of several: those that ran, in order. */
  steps?: StepEnd[] | undefined;
}

export interface CollectedOutput {
  pattern: string;
  remote: string;
  /** Where it is: a path of the submit host, or the address in a storage. */
  local: string;
  bytes: number;
  sha256: string;
}

/** True for an output that was put into a storage: it is not on the submit host. */
export function isStored({ local }: Pick<CollectedOutput, 'local'>): boolean {
  return !local.startsWith('/');
}

/** An earlier task whose outputs were taken instead of running this one. */
export interface Reused {
  task: TaskId;
  /** The attempt that ran, whose streams are those of this task, too. */
  token: AttemptToken;
  fingerprint: string;
}

/** What a task has made and left on its host for others: hard links to objects of the content store hold it. */
export interface KeptOutputs {
  host: string;
  root: string;
  /** Of the attempt that made it, whose directory of links it is. */
  token: AttemptToken;
  entries: KeptEntry[];
}

/** `path` is relative to the work directory. */
export type KeptEntry =
  | { kind: 'file'; path: string; sha256: string; mode: number; bytes: number }
  | { kind: 'directory'; path: string };

/** pending: still to be removed; done: removed; kept: left for the user to look at, until gc. */
export type Cleanup = 'none' | 'pending' | 'done' | 'kept';

/** What became of the user's command that is run when the task has ended (`--on-finish`). */
export interface HookEnd {
  at: number;
  ms: number;
  /** Its exit code; 128+n for a signal. */
  code?: number | undefined;
  failure?: FailureRecord | undefined;
  /** It was not begun: the task had been given another attempt before. */
  passedOver?: true | undefined;
}

export const GPU_KINDS = ['nvidia', 'amd'] as const;
export type GpuKind = (typeof GPU_KINDS)[number];

/** Devices of a host that a task has to itself from its placement to its end. */
export interface GpuGrant {
  kind: GpuKind;
  /** Names that the vendor's runtime understands: UUIDs (NVIDIA), numbers (AMD, or not detected). */
  devices: string[];
}

interface OnHost {
  /** An earlier launch of this attempt may still be under way: whatever ends it must take the ticket first. */
  tried?: true | undefined;
  attempt: number;
  host: string;
  gpus?: GpuGrant | undefined;
  since: number;
  blocked?: Blocked | undefined;
}

interface Ended {
  attempt: number;
  host?: string | undefined;
  gpus?: GpuGrant | undefined;
  image?: ReadyImage | undefined;
  launch?: LaunchRecord | undefined;
  exit?: ExitRecord | undefined;
  outputs: CollectedOutput[];
  kept?: KeptOutputs | undefined;
  reused?: Reused | undefined;
  finishedAt: number;
  cleanup: Cleanup;
  /** Absent: there is none, or it has not ended yet. */
  hook?: HookEnd | undefined;
  /** Why the remote directory could not be removed yet. */
  blocked?: Blocked | undefined;
}

export type TaskState =
  | { kind: 'held'; attempt: number; since: number }
  | { kind: 'waiting'; attempt: number; since: number; on: TaskId[] }
  | { kind: 'queued'; attempt: number; since: number }
  | ({ kind: 'staging' } & OnHost)
  | ({ kind: 'pulling'; inputs: StagedInputs } & OnHost)
  | ({
      kind: 'launching';
      inputs: StagedInputs;
      image: ReadyImage;
      notReused?: string | undefined;
      /** Absent: it has not been submitted, or nothing to submit it to is needed. */
      job?: JobRecord | undefined;
    } & OnHost)
  | ({ kind: 'running'; image: ReadyImage; launch: LaunchRecord } & OnHost)
  | ({ kind: 'collecting'; image: ReadyImage; launch: LaunchRecord; exit: ExitRecord } & OnHost)
  | ({
      kind: 'cancelling';
      image?: ReadyImage | undefined;
      launch?: LaunchRecord | undefined;
      exit?: ExitRecord | undefined;
      /** False while nothing of the attempt can be on the host. */
      published: boolean;
      /** Why the attempt ends, when it was not the user who asked. */
      failure?: FailureRecord | undefined;
    } & OnHost)
  | ({ kind: 'succeeded' } & Ended)
  | ({ kind: 'failed'; failure: FailureRecord } & Ended)
  | ({ kind: 'error'; failure: FailureRecord } & Ended)
  | ({ kind: 'cancelled' } & Ended)
  | ({ kind: 'interrupted'; failure: FailureRecord } & Ended);

export type StateKind = TaskState['kind'];
export type EndedState = Extract<TaskState, Ended>;

export const ENDED_KINDS = ['succeeded', 'failed', 'error', 'cancelled', 'interrupted'] as const;
export const STATE_KINDS: readonly StateKind[] = [
  'held',
  'waiting',
  'queued',
  'staging',
  'pulling',
  'launching',
  'running',
  'collecting',
  'cancelling',
  ...ENDED_KINDS,
];

/** Before a host is chosen: a task that waits for others is told of each that has ended, also of those that had before. */
export function ready({ after }: Pick<TaskSpec, 'after'>, attempt: number, since: number) {
  if (after === undefined || after.length === 0) return { kind: 'queued', attempt, since } as const;
  return { kind: 'waiting', attempt, since, on: after as TaskId[] } as const;
}

/** True when nothing more will happen to the task by itself (but its cleaning). */
export function isEnded(state: TaskState): state is EndedState {
  return (ENDED_KINDS as readonly string[]).includes(state.kind);
}
