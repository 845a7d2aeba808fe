/**
 * The one door inward: what the API may ask of the engine. What comes in: task specs and ids, already
 * parsed. What goes out: tasks as they stand, streams of bytes and events. Every method rejects with
 * an AppError only; on a state that is not its own, what acts with DAEMON_STATE_CLONED (read-only.ts). Never here: HTTP, printing, SQL. Read next: engine.ts, ledger.ts, dispatcher.ts.
 */
import type { ErrorCode } from '../domain/failure.ts';
import type { Finding } from '../domain/finding.ts';
import type { HostEvent, HostMode } from '../domain/host-mode.ts';
import type { Blocked } from '../domain/state.ts';
import type { CleanupPolicy, StreamName, Task, TaskId, TaskSpec } from '../domain/task.ts';
import type { HostKeysReport, PinRequest, RemoteProcess, TerminalSize } from '../remote/host.ts';
import type {
  DocumentPage,
  DocumentQuery,
  EventRecord,
  NewDocument,
  NewRemoval,
  Removal,
  TaskQuery,
  UnreadableTask,
} from '../store/store.ts';
import type { LoginRequest } from './logins.ts';
import type { PruneReport, PruneRequest } from './prune-images.ts';
import type {
  ForgetReport,
  HostReport,
  ImageReport,
  LoginReport,
  SetupNews,
  SetupRequest,
} from './reports.ts';

export type { DocumentQuery, DocumentRow } from '../store/store.ts';
export type { LoginRequest } from './logins.ts';
export type * from './reports.ts';
export type { HostKeysReport, PinRequest, PruneReport, PruneRequest };

/** A task as it stands, with what only the running engine knows. */
export interface TaskReport {
  task: Task;
  /** When the blocked task is tried next, if it is blocked. */
  nextTryAt?: number | undefined;
  /** Why it was not placed yet. Never stored. */
  waits?: Blocked | undefined;
  streams: Record<StreamName, { bytes: number; complete: boolean }>;
  /** The last lines of stderr of one that failed, when it is asked for alone. Never stored. */
  stderrTail?: string | undefined;
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
  /** Some events after `since` and up to `to` are not kept any more. */
  | { type: 'gap'; since: number; to: number }
  | ({ type: 'event' } & EventRecord)
  | ({ type: 'host' } & HostEvent)
  | { type: 'progress'; at: number; task: TaskId; progress: Progress };

/** What a launch on one host would do. */
export interface HostPlan {
  host: string;
  attemptDir: string;
  image: { reference: string; path: string };
  /** The candidates in the order in which they are tried. */
  images: { reference: string; path: string }[];
  inputs: { from: string; to: string }[];
  outputs: { from: string; to: string }[];
  /** File name in the attempt directory -> content; `run.sh` is the Apptainer script. */
  files: Record<string, string>;
  /** What a scheduler would be asked for, and what the user should know of that; absent without one. */
  job?: { args: string[]; notes: string[] } | undefined;
}

/** What would happen: the script and the plan of a task, nothing executed. */
export interface Plan extends HostPlan {
  choice: HostChoice;
  inputs: (HostPlan['inputs'][number] & InputSize)[];
  /** Directories that the task would use on the host, and what becomes of each. */
  directories: { path: string; fate: string }[];
  /** When the directory of the attempt is removed. */
  cleanup: CleanupPolicy;
}

/** Why this host; with `waits` the task would not be placed now, and this is what keeps it. */
export interface HostChoice {
  why: string;
  waits?: { reason: string; message: string; hint: string } | undefined;
}

/** What would be sent; absent for what is on the host already. */
export interface InputSize {
  files?: number | undefined;
  bytes?: number | undefined;
}

export interface GcRequest {
  /** Only what ended before now minus this. Default: [defaults] keep_failed. */
  olderThanMs?: number | undefined;
  dryRun: boolean;
  /** Only what is on this host. */
  host?: string | undefined;
  /** Also images that no task uses. */
  images?: boolean | undefined;
  /** Nobody asked: only hosts that are connected anyway. */
  auto?: boolean | undefined;
}

export interface GcReport {
  /** Tasks whose remote directory is being removed. */
  cleaned: TaskId[];
  /** Tasks forgotten with their logs. */
  forgotten: TaskId[];
  /** What was removed, or would be: tasks, and all that no task needs. */
  removed: NewRemoval[];
  /** Hosts that could not be asked. */
  away: { host: string; code: ErrorCode; message: string }[];
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

/** A command to run inside a task that is there. */
export interface ExecRequest {
  command: readonly string[];
  tty?: (TerminalSize & { term: string }) | undefined;
}

/** A command inside a task; `close` ends all that it started. */
export interface ExecSession extends RemoteProcess {
  /** What the user should know about where it runs. */
  readonly note?: string | undefined;
  /** Sent to all that the command has started, as a terminal would. */
  signal(name: 'HUP' | 'INT' | 'QUIT' | 'TERM' | 'KILL'): void;
}

/** What a path or glob inside a task means. */
export interface MatchedFiles {
  single: boolean;
  files: { path: string; to: string; size: number }[];
  directories: string[];
  passedOver: string[];
}

export interface FileContent {
  size: number;
  mode: number;
  /** Of the first `size` bytes, taken on the host. */
  sha256: string;
  /** Those bytes; fewer when the file shrinks meanwhile. */
  bytes: AsyncIterable<Uint8Array>;
}

export interface Service {
  /**
   * Commits tasks, all or none, and gives them back in order. With a known idempotency key: the
   * tasks of the first submission and `created: false`. `documents`: what each was written as in another protocol.
   * @throws TASK_INVALID HOST_UNKNOWN IMAGE_REFERENCE_INVALID STAGE_INPUT_MISSING
   * TASK_IDEMPOTENCY_CONFLICT TASK_NO_HOST_FITS DAEMON_STOPPING STORE_FULL QUEUE_FULL
   */
  submit(
    specs: TaskSpec[],
    idempotencyKey?: string,
    documents?: readonly NewDocument[],
  ): Promise<{ created: boolean; tasks: TaskReport[] }>;
  /** Whether bytes for a task to come may be kept here. @throws DAEMON_STOPPING STORE_FULL */
  admitUpload(): Promise<void>;
  /** @throws as submit */
  plan(spec: TaskSpec): Promise<Plan>;
  /** @throws TASK_NOT_FOUND; a unique prefix of an id will do, as in every method that takes one. */
  get(id: string): Promise<TaskReport>;
  /** Resolves when the task has ended and, with `cleaned`, nothing more is to be removed; or at the timeout. */
  wait(id: string, options: { timeoutMs: number; signal: AbortSignal }): Promise<TaskReport>;
  /** `unreadable`: tasks whose rows are damaged; they are left alone. */
  list(query: TaskQuery): Promise<{
    tasks: TaskReport[];
    unreadable?: UnreadableTask[] | undefined;
    cursor?: string | undefined;
  }>;
  /** Where tasks stand that came in with a document; whole ids only. @throws REQUEST_INVALID for a cursor that is none */
  documents(query: DocumentQuery): Promise<DocumentPage>;
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
  /**
   * Runs a command in the container of a task that runs, or in a new one like it where that is not
   * possible or the task has ended and was kept.
   * @throws TASK_NOT_FOUND TASK_WRONG_STATE HOST_SESSIONS_FULL IMAGE_NOT_FOUND SSH_* HOST_*
   */
  exec(id: string, request: ExecRequest, options: FollowOptions): Promise<ExecSession>;
  /**
   * The files at a path of the container, or relative to the work directory; globs are expanded, links
   * not followed. @throws COPY_NOT_FOUND OUTPUT_UNSAFE REQUEST_INVALID TASK_WRONG_STATE
   */
  matchFiles(id: string, path: string): Promise<MatchedFiles>;
  /** @throws as matchFiles, SFTP_DENIED */
  fileContent(id: string, path: string, options: FollowOptions): Promise<FileContent>;
  hosts(): HostReport[];
  /** `probe`: connect and look first. @throws HOST_UNKNOWN */
  host(name: string, options: { probe: boolean }): Promise<HostReport>;
  /** Looks at everything a task on the host would need; tells as it finds. @throws HOST_UNKNOWN */
  doctor(name: string): AsyncIterable<Finding>;
  /**
   * The keys a host offers, and what is known of them; with `pin` those are trusted first, and the host
   * is tried at once. @throws HOST_UNKNOWN HOST_WITHOUT_KEYS HOST_KEY_NOT_OFFERED HOST_KEY_CONFLICT SSH_*
   */
  trust(host: string, pin?: PinRequest): Promise<HostKeysReport>;
  /**
   * Logs in to a host with a person who answers what it asks, step by step; the first request begins.
   * @throws HOST_UNKNOWN SSH_* SSH_LOGIN_FAILED SSH_LOGIN_ENDED REQUEST_INVALID
   */
  login(name: string, request: LoginRequest, options: FollowOptions): Promise<LoginReport>;
  /**
   * paused: nothing is sent to the host any more, its links are closed, what runs there runs on; draining:
   * no new tasks go there; open: both end. Outlives the daemon; idempotent.
   * @throws HOST_UNKNOWN STORE_FULL
   */
  setHostMode(name: string, mode: HostMode): Promise<HostReport>;
  /** Makes the root, checks the tools, looks at everything now. @throws SSH_* HOST_* RUNTIME_NOT_FOUND */
  setupHost(name: string): Promise<HostReport>;
  /**
   * Runs scripts/setup-apptainer.sh on the host; resolves once it runs, tells what it says. Nobody is asked:
   * whoever calls with `install` has the consent of a person. @throws HOST_UNKNOWN HOST_PAUSED SSH_*
   */
  setupApptainer(name: string, request: SetupRequest): Promise<AsyncIterable<SetupNews>>;
  /**
   * Removes what this daemon made on the host, then pauses it; with `dryRun` only says what would go.
   * @throws HOST_IN_USE HOST_PAUSED HOST_ROOT_INVALID SSH_*
   */
  forgetHost(name: string, options: { dryRun: boolean }): Promise<ForgetReport>;
  images(host: string): Promise<ImageReport[]>;
  pullImage(host: string, reference: string, options: FollowOptions): Promise<ImageReport>;
  removeImage(host: string, reference: string): Promise<void>;
  /** Removes those that no task used for so long. @throws HOST_UNKNOWN HOST_PAUSED SSH_* */
  pruneImages(host: string, request: PruneRequest): Promise<PruneReport>;
  /** @throws HOST_UNKNOWN; a host that is away is told in the report */
  gc(request: GcRequest): Promise<GcReport>;
  /** What was removed, oldest first: the newest `limit` lines. */
  removals(limit: number): Promise<Removal[]>;
  /** The numbers for /metrics, now. */
  metrics(): MetricFamily[];
  /** Never rejects. */
  health(): Promise<Health>;
}
