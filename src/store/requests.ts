/** What the main thread and the worker say to each other. Everything here survives a structured clone. */
import type { ErrorCode, ErrorContext } from '../domain/failure.ts';
import type { HostEvent } from '../domain/host-mode.ts';
import type { TaskId } from '../domain/task.ts';
import type { Home } from './home.ts';
import type {
  Change,
  DocumentPage,
  DocumentQuery,
  EventRecord,
  EventsGone,
  FileHash,
  LiveTasksRead,
  NewRemoval,
  Removal,
  Store,
  TaskQuery,
} from './store.ts';

/** Changes; those that arrive together become one transaction. */
export type WriteRequest =
  | { op: 'commit'; change: Change }
  | {
      op: 'insert';
      changes: Change[];
      idempotency?: { key: string; digest: string } | undefined;
      room?: number | undefined;
    }
  | { op: 'forget'; ids: TaskId[]; removed?: NewRemoval[] | undefined }
  | { op: 'set-host-mode'; change: Omit<HostEvent, 'seq'> }
  | { op: 'prune-events'; limits: { keep: number; before: number } }
  | { op: 'record-removals'; removals: NewRemoval[] }
  | { op: 'remember-hashes'; hashes: readonly FileHash[] };

export type ReadRequest =
  | { op: 'get-task'; id: TaskId }
  | { op: 'find-ids'; prefix: string }
  | { op: 'load-live'; after: number; limit: number }
  | { op: 'list-tasks'; query: TaskQuery }
  | { op: 'list-documents'; query: DocumentQuery }
  | { op: 'list-events'; query: Parameters<Store['listEvents']>[0] }
  | { op: 'host-modes' }
  | { op: 'last-seq' }
  | { op: 'events-gone' }
  | { op: 'list-removals'; limit: number }
  | { op: 'known-hashes'; identities: readonly string[] };

export type Request = WriteRequest | ReadRequest;
export interface Numbered<R extends Request = Request> {
  id: number;
  request: R;
}

/** What each request is answered with. */
export interface Answers {
  commit: EventRecord[];
  insert: Awaited<ReturnType<Store['insert']>>;
  forget: undefined;
  'set-host-mode': HostEvent;
  'host-modes': HostEvent[];
  'get-task': Awaited<ReturnType<Store['getTask']>>;
  'find-ids': TaskId[];
  'load-live': LivePage;
  'list-tasks': Awaited<ReturnType<Store['listTasks']>>;
  'list-documents': DocumentPage;
  'list-events': (EventRecord | HostEvent)[];
  'last-seq': number;
  'prune-events': number;
  'record-removals': undefined;
  'events-gone': EventsGone;
  'list-removals': Removal[];
  'remember-hashes': undefined;
  'known-hashes': FileHash[];
}

/** Some of the tasks that are not finished, with their orders; `next` is where the others begin. */
export interface LivePage extends LiveTasksRead {
  next: number | undefined;
}

/** An error as it crosses the threads; without a code it is a bug, to be thrown as an assertion. */
export interface SentError {
  code?: ErrorCode | undefined;
  message: string;
  context: ErrorContext;
  cause?: unknown;
}

export type Reply = { id: number; value: unknown } | { id: number; error: SentError };

/** All replies of one round, and the counters after it. */
export interface Round {
  replies: Reply[];
  transactions: number;
  changes: number;
}

export interface Opened {
  daemonId: string;
  /** Made on another machine, or a copy: whoever has the original may act, too. */
  cloned: boolean;
}

/** What the worker is started with. */
export interface WorkerInput {
  path: string;
  now: number;
  machineId: string;
  /** Where the file at `path` is. */
  home: Home;
  adopt: boolean;
}

export type FromWorker =
  | { kind: 'opened'; opened: Opened }
  | { kind: 'failed'; error: SentError }
  | { kind: 'round'; round: Round };

export type ToWorker = ({ kind: 'request' } & Numbered) | { kind: 'close' };
