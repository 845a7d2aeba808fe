/**
 * Where events become state: one event of one task at a time is judged, committed, and only then
 * told. Keeps the live tasks in memory as they are in the store; nothing else may change a task.
 */
import type { Effect } from '../domain/effects.ts';
import type { TaskEvent } from '../domain/events.ts';
import { AppError } from '../domain/failure.ts';
import { isEnded, ready } from '../domain/state.ts';
import type { Task, TaskId, TaskSpec } from '../domain/task.ts';
import type { Change, NewDocument, NewRemoval, Store, UnreadableTask } from '../store/store.ts';
import { advance } from './advance.ts';
import { describeEvent } from './describe-event.ts';
import { createLiveTasks, type LiveTask, type LiveTasks, type Told } from './live-tasks.ts';
import { ID_CHARS } from './task-id.ts';
import { createTurns } from './turns.ts';

export interface Ledger {
  /** Reads back what is not finished, and names what cannot be read. Call once, before anything else. */
  load(): Promise<UnreadableTask[]>;
  insert(
    tasks: Task[],
    idempotency?: { key: string; digest: string },
    /** How many tasks there may be that have not ended. */
    most?: number,
    /** Of each task, where it came in by another protocol. */
    documents?: readonly NewDocument[],
  ): Promise<{ created: boolean; tasks: Task[] }>;
  /**
   * Judges and commits one event; resolves with the task as it then stands.
   * @throws TASK_WRONG_STATE when refused, TASK_NOT_FOUND, STORE_FULL
   */
  apply(id: TaskId, event: TaskEvent): Promise<Task>;
  /** Forgets an ended task with its events; false when it has not ended, or is cleaned just now. */
  forget(id: TaskId, removal: NewRemoval): Promise<boolean>;
  /** The task by id or unique prefix. @throws TASK_NOT_FOUND */
  find(id: string): Promise<Task>;
  live: () => IterableIterator<Task>;
  queued: LiveTasks['queued'];
  onHosts: LiveTasks['onHosts'];
  /** How many tasks have not ended. */
  unfinished: () => number;
  get(id: TaskId): Task | undefined;
  orders(id: TaskId): readonly Effect[];
  onTold: (listener: (told: Told) => void) => void;
}

/** Shorter prefixes are more likely a slip than an id. */
const PREFIX_CHARS_MIN = 4;

interface LedgerDeps {
  store: Store;
  now: () => number;
}

export function createLedger({ store, now }: LedgerDeps): Ledger {
  const book = createLiveTasks();
  const inTurn = createTurns<TaskId>();
  /** Tasks that are being written and are not in the book yet. */
  let arriving = 0;

  async function entryOf(id: TaskId): Promise<LiveTask> {
    const entry = book.entry(id);
    if (entry !== undefined) return entry;
    const task = await store.getTask(id);
    if (task === undefined) throw notFound(id);
    return { task, orders: [] };
  }

  async function applyNow(id: TaskId, event: TaskEvent): Promise<Task> {
    const { task, orders } = await entryOf(id);
    const judged = advance({ task, orders }, event, now());
    if (judged.kind === 'refused') {
      throw new AppError('TASK_WRONG_STATE', judged.why, { context: { task: id } });
    }
    if (judged.kind === 'ignored') return task;
    const { change } = judged;
    const events = await store.commit(change);
    book.tell({ before: task, task: change.task, orders: change.effects, events });
    return change.task;
  }

  async function insert(...[tasks, idempotency, most, documents]: Parameters<Ledger['insert']>) {
    const changes = tasks.map((task, index) => {
      const document = documents?.[index];
      return { ...submission(task), ...(document !== undefined && { document }) };
    });
    const room = most === undefined ? undefined : most - book.unfinished() - arriving;
    arriving += tasks.length;
    const result = await store.insert(changes, idempotency, room).finally(() => {
      arriving -= tasks.length;
    });
    if (result.created) {
      const events = Map.groupBy(result.events, (event) => event.task);
      for (const task of result.tasks) {
        book.tell({ before: undefined, task, orders: [], events: events.get(task.id) ?? [] });
      }
    }
    return { created: result.created, tasks: result.tasks };
  }

  async function forgetNow(id: TaskId, removal: NewRemoval): Promise<boolean> {
    const { task, orders } = await entryOf(id);
    if (!isEnded(task.state) || orders.length > 0) return false;
    await store.forget([id], [removal]);
    return true;
  }

  return {
    async load() {
      const { unreadable, ...stored } = await store.loadLive();
      book.fill(stored);
      return unreadable;
    },
    insert,
    forget: (id, removal) => inTurn(id, () => forgetNow(id, removal)),
    apply: (id, event) => inTurn(id, () => applyNow(id, event)),
    find: async (id) => (await entryOf(await fullId(store, id))).task,
    live: book.tasks,
    queued: book.queued,
    onHosts: book.onHosts,
    unfinished: book.unfinished,
    get: (id) => book.entry(id)?.task,
    orders: (id) => book.entry(id)?.orders ?? [],
    onTold: book.onTold,
  };
}

/** The id that is meant, by itself or by a beginning that only one has. @throws TASK_NOT_FOUND */
async function fullId(store: Store, id: string): Promise<TaskId> {
  if (id.length >= ID_CHARS || id.length < PREFIX_CHARS_MIN) return id as TaskId;
  const [only, another] = await store.findIds(id);
  if (only === undefined) throw notFound(id);
  if (another === undefined) return only;
  throw new AppError('TASK_NOT_FOUND', `several tasks have ids that begin with ${id}`, {
    context: { task: id },
  });
}

function submission(task: Task): Change {
  const event = describeEvent(task, { kind: 'submitted' }, task.submittedAt);
  return { task, events: [event], effects: [] };
}

function notFound(id: string): AppError {
  return new AppError('TASK_NOT_FOUND', `no task has the id ${id}`, { context: { task: id } });
}

/** A new task, as it stands when it is submitted. */
export function newTask(id: TaskId, spec: TaskSpec, now: number): Task {
  return {
    id,
    spec,
    state: spec.held ? { kind: 'held', attempt: 1, since: now } : ready(spec, 1, now),
    history: [],
    version: 1,
    submittedAt: now,
  };
}
