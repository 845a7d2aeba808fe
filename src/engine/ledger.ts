/**
 * Where events become state: one event of one task at a time is judged, committed, and only then
 * told. Keeps the live tasks in memory as they are in the store; nothing else may change a task.
 */
import { decide } from '../domain/decide.ts';
import type { Effect } from '../domain/effects.ts';
import type { TaskEvent } from '../domain/events.ts';
import { AppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import type { Task, TaskId, TaskSpec } from '../domain/task.ts';
import type { Change, EventRecord, Store } from '../store/store.ts';
import { describeEvent } from './describe-event.ts';

export interface Told {
  before: Task | undefined;
  task: Task;
  orders: readonly Effect[];
  events: EventRecord[];
}

export interface Ledger {
  /** Reads back what is not finished. Call once, before anything else. */
  load(): Promise<void>;
  insert(
    tasks: Task[],
    idempotency?: { key: string; digest: string },
  ): Promise<{ created: boolean; tasks: Task[] }>;
  /**
   * Judges and commits one event; resolves with the task as it then stands.
   * @throws TASK_WRONG_STATE when refused, TASK_NOT_FOUND, STORE_FULL
   */
  apply(id: TaskId, event: TaskEvent): Promise<Task>;
  /** The task by id or unique prefix. @throws TASK_NOT_FOUND */
  find(id: string): Promise<Task>;
  live(): IterableIterator<Task>;
  get(id: TaskId): Task | undefined;
  orders(id: TaskId): readonly Effect[];
  onTold(listener: (told: Told) => void): void;
}

/** Shorter prefixes are more likely a slip than an id. */
const PREFIX_CHARS_MIN = 4;

interface Entry {
  task: Task;
  orders: readonly Effect[];
}

interface LedgerDeps {
  store: Store;
  now: () => number;
}

export function createLedger({ store, now }: LedgerDeps): Ledger {
  const live = new Map<TaskId, Entry>();
  const queues = new Map<TaskId, Promise<unknown>>();
  const listeners: ((told: Told) => void)[] = [];

  function tell(told: Told): void {
    const { task, orders } = told;
    if (isEnded(task.state) && orders.length === 0) live.delete(task.id);
    else live.set(task.id, { task, orders });
    for (const listener of listeners) listener(told);
  }

  async function entryOf(id: TaskId): Promise<Entry> {
    const entry = live.get(id);
    if (entry !== undefined) return entry;
    const task = await store.getTask(id);
    if (task === undefined) throw notFound(id);
    return { task, orders: [] };
  }

  async function applyNow(id: TaskId, event: TaskEvent): Promise<Task> {
    const { task, orders } = await entryOf(id);
    const at = now();
    const decision = decide(task, event, at);
    if (decision.kind === 'refused') {
      throw new AppError('TASK_WRONG_STATE', decision.why, { context: { task: id } });
    }
    if (decision.kind === 'ignored') return task;
    const next = { ...decision.task, version: task.version + 1 };
    const nextOrders = ordersAfter(orders, decision.effects, event);
    const record = describeEvent(next, event, at);
    const events = await store.commit({ task: next, events: [record], effects: nextOrders });
    tell({ before: task, task: next, orders: nextOrders, events });
    return next;
  }

  /** One event of a task at a time, in the order asked. */
  function inTurn<T>(id: TaskId, act: () => Promise<T>): Promise<T> {
    const result = (queues.get(id) ?? Promise.resolve()).then(act, act);
    const settled = result.catch(() => {});
    queues.set(id, settled);
    void settled.then(() => {
      if (queues.get(id) === settled) queues.delete(id);
    });
    return result;
  }

  return {
    async load() {
      const { tasks, effects } = await store.loadLive();
      for (const task of tasks) live.set(task.id, { task, orders: [] });
      for (const { task: id, ...effect } of effects) {
        const entry = live.get(id);
        if (entry !== undefined) live.set(id, { ...entry, orders: [...entry.orders, effect] });
      }
    },
    async insert(tasks, idempotency) {
      const changes = tasks.map(
        (task): Change => ({
          task,
          events: [describeEvent(task, { kind: 'submitted' }, task.submittedAt)],
          effects: [],
        }),
      );
      const result = await store.insert(changes, idempotency);
      if (result.created) {
        for (const task of result.tasks) {
          const events = result.events.filter((event) => event.task === task.id);
          tell({ before: undefined, task, orders: [], events });
        }
      }
      return { created: result.created, tasks: result.tasks };
    },
    apply: (id, event) => inTurn(id, () => applyNow(id, event)),
    async find(id) {
      const exact = live.get(id as TaskId)?.task ?? (await store.getTask(id as TaskId));
      if (exact !== undefined) return exact;
      const [only, another] = id.length < PREFIX_CHARS_MIN ? [] : await store.findIds(id);
      if (only === undefined) throw notFound(id);
      if (another !== undefined) {
        throw new AppError('TASK_NOT_FOUND', `several tasks have ids that begin with ${id}`, {
          context: { task: id },
        });
      }
      return (await entryOf(only)).task;
    },
    *live() {
      for (const entry of live.values()) yield entry.task;
    },
    get: (id) => live.get(id)?.task,
    orders: (id) => live.get(id)?.orders ?? [],
    onTold: (listener) => void listeners.push(listener),
  };
}

/** Cleaning of earlier attempts goes on whatever the task does next; other orders are replaced. */
function ordersAfter(
  orders: readonly Effect[],
  effects: readonly Effect[] | 'same',
  event: TaskEvent,
): Effect[] {
  const done = (order: Effect): boolean =>
    event.kind === 'cleaned' && order.kind === 'clean' && order.attempt === event.attempt;
  const left = orders.filter((order) => !done(order));
  if (effects === 'same') return left;
  const cleaning = left.filter(
    (order) =>
      order.kind === 'clean' &&
      !effects.some((other) => other.kind === 'clean' && other.attempt === order.attempt),
  );
  return [...cleaning, ...effects];
}

function notFound(id: string): AppError {
  return new AppError('TASK_NOT_FOUND', `no task has the id ${id}`, { context: { task: id } });
}

/** A new task, as it stands when it is submitted. */
export function newTask(id: TaskId, spec: TaskSpec, now: number): Task {
  const kind = spec.held ? 'held' : 'queued';
  return {
    id,
    spec,
    state: { kind, attempt: 1, since: now },
    history: [],
    version: 1,
    submittedAt: now,
  };
}
