/**
 * The ledger's door. What comes in: whole changes (a task as it shall stand, what happened, which
 * effects are ordered and which are done). What goes out: what was written, parsed by a schema.
 * One change is one transaction, or part of a bigger one together with the changes that arrived
 * meanwhile (group commit); it resolves only after it is on disk. Never here: decisions.
 * Read next: open.ts, worker.ts, migrations/.
 */
import type { Effect } from '../domain/effects.ts';
import type { HostEvent } from '../domain/host-mode.ts';
import type { StateKind } from '../domain/state.ts';
import type { Task, TaskId } from '../domain/task.ts';

/** One thing that happened, as told to the world. `seq` grows by one and never repeats. */
export interface EventRecord {
  seq: number;
  at: number;
  task: TaskId;
  attempt: number;
  kind: string;
  /** The state after it. */
  state: string;
  data: Record<string, unknown>;
}

export type NewEvent = Omit<EventRecord, 'seq'>;

/** What a task was written as in another protocol. */
export interface NewDocument {
  name?: string | undefined;
  body: string;
}

/** Tasks that have a document, newest first. */
export interface DocumentQuery {
  id?: TaskId | undefined;
  namePrefix?: string | undefined;
  /** All must match; without a value the key alone. */
  tags?: readonly { key: string; value?: string | undefined }[] | undefined;
  /** The states, and of tasks that are being ended whether the user asked. */
  states?: readonly { kind: StateKind; failing?: boolean | undefined }[] | undefined;
  bodies: boolean;
  limit: number;
  cursor?: string | undefined;
}

export interface DocumentRow {
  id: TaskId;
  kind: StateKind;
  /** It is being ended because it failed, not because somebody asked. */
  failing: boolean;
  body?: string | undefined;
}

export interface DocumentPage {
  rows: DocumentRow[];
  cursor?: string | undefined;
}

export interface Change {
  /** The task as it shall stand; `version` is the new version, the stored one must be one less. */
  task: Task;
  events: NewEvent[];
  /** Replaces all orders of the task that are not yet done. */
  effects: Effect[];
  /** What this change says was removed. */
  removed?: NewRemoval | undefined;
  /** Of a new task. */
  document?: NewDocument | undefined;
}

/** What was removed for good: a directory on a host, a task with its logs, unused objects. */
export interface NewRemoval {
  at: number;
  kind: string;
  /** An attempt, a task, a reference, or in words. */
  what: string;
  host?: string | undefined;
  count: number;
  /** As far as known. */
  bytes?: number | undefined;
}

export interface Removal extends NewRemoval {
  /** The id of the daemon that did it. */
  daemon: string;
}

/** Events that are not kept any more: all up to `prunedTo`, none after `lastGone`. */
export interface EventsGone {
  prunedTo: number;
  lastGone: number;
}

export interface PendingEffect extends Effect {
  task: TaskId;
}

export interface TaskQuery {
  states?: string[] | undefined;
  host?: string | undefined;
  /** The whole name. */
  name?: string | undefined;
  tags?: Record<string, string> | undefined;
  /** Those that succeeded and ran this, or took it from one that did. */
  fingerprint?: string | undefined;
  limit: number;
  /** Give tasks submitted before this one (newest first). */
  cursor?: string | undefined;
}

/** A task whose row does not parse. It is left as it is, and nothing is done for it. */
export interface UnreadableTask {
  id: TaskId;
  /** Names the row and its field. */
  why: string;
}

export interface LiveTasksRead {
  tasks: Task[];
  effects: PendingEffect[];
  unreadable: UnreadableTask[];
}

export interface Page {
  tasks: Task[];
  unreadable?: UnreadableTask[] | undefined;
  cursor?: string | undefined;
}

/** The hash of a local file, as the file system told of it when it was read: another identity after every change. */
export interface FileHash {
  identity: string;
  sha256: string;
}

export interface StoreCounters {
  transactions: number;
  changes: number;
}

export interface Store {
  /** This state directory's own random id; names our trees on the hosts. */
  readonly daemonId: string;
  /**
   * Commits a change and gives back its events with their numbers.
   * @throws STORE_FULL; an unexpected version is a bug (assert).
   */
  commit(change: Change): Promise<EventRecord[]>;
  /**
   * Inserts new tasks, all or none. With an idempotency key that is known: the tasks of the first
   * submission, and `created: false`. `room`: how many may be new.
   * @throws TASK_IDEMPOTENCY_CONFLICT when the key was used for other specs; QUEUE_FULL.
   */
  insert(
    changes: Change[],
    idempotency?: { key: string; digest: string },
    room?: number,
  ): Promise<{ created: boolean; tasks: Task[]; events: EventRecord[] }>;
  getTask(id: TaskId): Promise<Task | undefined>;
  /** Ids that begin with the prefix, at most two: enough to tell one from several. */
  findIds(prefix: string): Promise<TaskId[]>;
  /**
   * All tasks that have not ended or still have effects ordered: what a restarted daemon must know,
   * before it changes anything.
   */
  loadLive(): Promise<LiveTasksRead>;
  listTasks(query: TaskQuery): Promise<Page>;
  /** Where tasks stand that have a document, without reading the tasks. @throws REQUEST_INVALID for a cursor that is none */
  listDocuments(query: DocumentQuery): Promise<DocumentPage>;
  /** Writes down that a host is used otherwise from now on. @throws STORE_FULL */
  setHostMode(change: Omit<HostEvent, 'seq'>): Promise<HostEvent>;
  /** The last change of each host that ever had one. */
  hostModes(): Promise<HostEvent[]>;
  /** Events with seq > since, at most `limit`, of tasks and hosts, or of one task alone. */
  listEvents(query: {
    since: number;
    limit: number;
    task?: TaskId | undefined;
  }): Promise<(EventRecord | HostEvent)[]>;
  lastSeq(): Promise<number>;
  /** Forgets ended tasks, their events and effects, and writes that down. */
  forget(ids: TaskId[], removed?: NewRemoval[]): Promise<void>;
  /** Removes the oldest events beyond `keep` numbers or from before a time, some of them; gives back how many. */
  pruneEvents(limits: { keep: number; before: number }): Promise<number>;
  eventsGone(): Promise<EventsGone>;
  recordRemovals(removals: NewRemoval[]): Promise<void>;
  /** The newest, oldest of them first. */
  listRemovals(limit: number): Promise<Removal[]>;
  /** Those of the files that are known. */
  knownHashes(identities: readonly string[]): Promise<FileHash[]>;
  /** A convenience, and never the only copy: beyond a bound the oldest are forgotten. @throws STORE_FULL */
  rememberHashes(hashes: readonly FileHash[]): Promise<void>;
  counters(): StoreCounters;
  close(): Promise<void>;
}
