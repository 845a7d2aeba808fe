/**
 * The one door inward: what the API may ask of the engine. What comes in: task specs and ids, already
 * parsed. What goes out: tasks as they stand, streams of bytes and events. Every method rejects with
 * an AppError only. Never here: HTTP, printing, SQL. Read next: engine.ts, ledger.ts, dispatcher.ts.
 */
import type { FailureRecord } from '../domain/failure.ts';
import type { StreamName, Task, TaskId, TaskSpec } from '../domain/task.ts';
import type { HostBudget, HostCounters, HostLinkState, LoginQuestion } from '../remote/host.ts';
import type { EventRecord, TaskQuery } from '../store/store.ts';
import type { LoginRequest } from './logins.ts';
import type { PollUse } from './poll-pace.ts';

export type { LoginRequest } from './logins.ts';

/** A task as it stands, with what only the running engine knows. */
export interface TaskReport {
  task: Task;
  /** When the blocked task is tried next, if it is blocked. */
  nextTryAt?: number | undefined;
  streams: Record<StreamName, { bytes: number; complete: boolean }>;
  /** The attempt's directory on the host, when there is one. */
  remoteDir?: string | undefined;
  /** What is going on just now: bytes of a transfer or a pull. Never stored. */
  progress?: Progress | undefined;
}

export interface Progress {
  step: 'stage' | 'pull' | 'collect';
  /** What is moved: a file, an image reference. */
  what: string;
  bytesDone: number;
  bytesTotal?: number | undefined;
}

/** One line of the event stream: durable events carry a `seq`, progress does not. */
export type LiveEvent =
  | ({ type: 'event' } & EventRecord)
  | { type: 'progress'; at: number; task: TaskId; progress: Progress };

export interface HostReport {
  name: string;
  type: 'ssh' | 'local';
  /** user@hostname:port, or "this machine". */
  address: string;
  scheduler: 'none';
  link: HostLinkState;
  root: string;
  /** Known after the first contact. */
  facts?: HostFactsReport | undefined;
  slots: {
    maxTasks: number;
    usedTasks: number;
    cpus?: number | undefined;
    usedCpus: number;
    memoryBytes?: number | undefined;
    usedMemoryBytes: number;
  };
  counters: HostCounters;
  /** What the host may be asked for; nothing for a host that needs no logins. */
  budget?: (HostBudget & { polls: PollUse }) | undefined;
  /** Last failure seen on this host. */
  lastFailure?: FailureRecord | undefined;
}

export interface HostFactsReport {
  hostname: string;
  user: string;
  root: string;
  cpus: number;
  memoryBytes: number;
  freeBytes: number;
  rootFsType: string;
  runtime?: { path: string; version: string } | undefined;
  clockSkewMs: number;
}

export interface ImageReport {
  reference: string;
  path: string;
  sha256?: string | undefined;
  bytes: number;
  pulledAt?: number | undefined;
}

/** A step of a login: what the host asks, or how it stands when nothing more is asked. */
export type LoginReport =
  | { done: true; host: HostReport }
  | { done: false; session: string; question: LoginQuestion };

/** What would happen: the script and the plan of a task, nothing executed. */
export interface Plan {
  host: string;
  attemptDir: string;
  image: { reference: string; path: string };
  inputs: { from: string; to: string }[];
  outputs: { from: string; to: string }[];
  /** File name in the attempt directory -> content; `run.sh` is the Apptainer script. */
  files: Record<string, string>;
}

export interface GcRequest {
  /** Only what ended before now minus this. Default: [defaults] keep_failed. */
  olderThanMs?: number | undefined;
  dryRun: boolean;
}

export interface GcReport {
  /** Tasks whose remote directory is being removed. */
  cleaned: TaskId[];
  /** Tasks forgotten with their logs. */
  forgotten: TaskId[];
}

/** Numbers of one name. Label values may be any text. */
export interface MetricFamily {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  samples: MetricSample[];
}

export interface MetricSample {
  /** What a histogram adds to the name of its family. */
  suffix?: '_bucket' | '_sum' | '_count';
  labels?: Record<string, string>;
  value: number;
}

export interface Health {
  readOnly: boolean;
  /** Why nothing can be written down or read back, if that is so. */
  storeFailure?: string | undefined;
}

export interface FollowOptions {
  signal: AbortSignal;
}

export interface Service {
  /**
   * Commits tasks, all or none, and gives them back in order. With a known idempotency key: the
   * tasks of the first submission and `created: false`.
   * @throws TASK_INVALID HOST_UNKNOWN IMAGE_REFERENCE_INVALID STAGE_INPUT_MISSING
   * TASK_IDEMPOTENCY_CONFLICT TASK_NO_HOST_FITS DAEMON_STOPPING STORE_FULL
   */
  submit(
    specs: TaskSpec[],
    idempotencyKey?: string,
  ): Promise<{ created: boolean; tasks: TaskReport[] }>;
  /** @throws as submit */
  plan(spec: TaskSpec): Promise<Plan>;
  /** @throws TASK_NOT_FOUND; a unique prefix of an id will do, as in every method that takes one. */
  get(id: string): Promise<TaskReport>;
  /** Resolves when the task has ended and, with `cleaned`, nothing more is to be removed; or at the timeout. */
  wait(id: string, options: { timeoutMs: number; signal: AbortSignal }): Promise<TaskReport>;
  list(query: TaskQuery): Promise<{ tasks: TaskReport[]; cursor?: string | undefined }>;
  /** Idempotent. @throws TASK_NOT_FOUND, TASK_WRONG_STATE when it ended otherwise */
  cancel(id: string): Promise<TaskReport>;
  /** A new attempt of an ended task. @throws TASK_NOT_FOUND TASK_WRONG_STATE */
  retry(id: string): Promise<TaskReport>;
  hold(id: string): Promise<TaskReport>;
  release(id: string): Promise<TaskReport>;
  /**
   * Bytes of a stream from `offset`. With follow: until the stream is complete (through later
   * attempts it is not: one attempt, default the current one).
   */
  logs(
    id: string,
    stream: StreamName | 'runtime',
    options: { offset: number; follow: boolean; attempt?: number | undefined; signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>>;
  /** Events after `since`; with follow: also those to come, and progress. */
  events(options: {
    since: number;
    follow: boolean;
    task?: string | undefined;
    signal: AbortSignal;
  }): AsyncIterable<LiveEvent>;
  /** Entries of the attempt's work directory on the host. */
  files(id: string, path: string): Promise<{ name: string; kind: string; size: number }[]>;
  hosts(): HostReport[];
  /** `probe`: connect and look first. @throws HOST_UNKNOWN */
  host(name: string, options: { probe: boolean }): Promise<HostReport>;
  /**
   * Logs in to a host with a person who answers what it asks, step by step; the first request begins.
   * @throws HOST_UNKNOWN SSH_* SSH_LOGIN_FAILED SSH_LOGIN_ENDED REQUEST_INVALID
   */
  login(name: string, request: LoginRequest, options: FollowOptions): Promise<LoginReport>;
  images(host: string): Promise<ImageReport[]>;
  pullImage(host: string, reference: string, options: FollowOptions): Promise<ImageReport>;
  removeImage(host: string, reference: string): Promise<void>;
  gc(request: GcRequest): Promise<GcReport>;
  /** The numbers for /metrics, now. */
  metrics(): MetricFamily[];
  /** Never rejects. */
  health(): Promise<Health>;
}
