/** How the tasks of a workflow stand, from the events about them. Pure. */
import { ENDED_KINDS } from '../../domain/state.ts';
import type { EventView, ProgressView, TaskView } from '../../protocol/views.ts';
import { statusText } from '../run/status-line.ts';

export interface Row {
  name: string;
  id: string;
  state: string;
  attempt: number;
  /** How many tasks one after the other lead to it. */
  level: number;
  host?: string | undefined;
  startedAt?: number | undefined;
  endedAt?: number | undefined;
  /** The code of its failure. */
  code?: string | undefined;
  /** What it is busy with, or the last line it printed. */
  note?: string | undefined;
  /** What is brought for it just now. */
  progress?: ProgressView | undefined;
}

export interface Board {
  readonly rows: readonly Row[];
  row(id: string): Row | undefined;
  /** The row when its state or host is another one now. */
  apply(event: EventView): Row | undefined;
  /** The task as the daemon has it. */
  refresh(view: TaskView): Row | undefined;
}

export const hasEnded = ({ state }: Pick<Row, 'state'>): boolean =>
  (ENDED_KINDS as readonly string[]).includes(state);
export const hasFailed = (row: Row): boolean => hasEnded(row) && row.state !== 'succeeded';
/** Nothing of it is anywhere yet. */
export const NOT_STARTED: readonly string[] = ['held', 'waiting', 'queued'];

/** A board of submitted tasks, in their order; levels by name. */
export function createBoard(
  tasks: readonly TaskView[],
  levels: ReadonlyMap<string, number>,
): Board {
  const rows = tasks.map((task) => ({ ...rowOf(task), level: levels.get(task.name ?? '') ?? 0 }));
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    rows,
    row: (id) => byId.get(id),
    apply(event) {
      const row = 'task' in event ? byId.get(event.task) : undefined;
      if (row === undefined) return undefined;
      return moved(row, () => applyTo(row, event));
    },
    refresh(view) {
      const row = byId.get(view.id);
      return row && moved(row, () => Object.assign(row, { ...rowOf(view), note: row.note }));
    },
  };
}

function rowOf(task: TaskView): Omit<Row, 'level'> {
  const at = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));
  return {
    name: task.name ?? task.id,
    id: task.id,
    state: task.state,
    attempt: task.attempt,
    host: task.host,
    startedAt: at(task.startedAt),
    endedAt: at(task.finishedAt),
    code: task.failure?.code,
    progress: task.progress,
  };
}

function moved(row: Row, act: () => void): Row | undefined {
  const { state, host, attempt } = row;
  act();
  const isSame = row.state === state && row.host === host && row.attempt === attempt;
  return isSame ? undefined : row;
}

function applyTo(row: Row, event: EventView): void {
  if (event.type === 'progress') row.progress = event.progress;
  if (event.type !== 'event') return;
  row.note = statusText(event);
  row.progress = undefined;
  const at = Date.parse(event.at);
  const isNew = event.attempt !== row.attempt || NOT_STARTED.includes(event.state);
  if (isNew) Object.assign(row, { host: undefined, startedAt: undefined, code: undefined });
  if (event.kind === 'placed') row.host = String(event.data['host']);
  if (event.kind === 'launched') row.startedAt = at;
  row.attempt = event.attempt;
  row.state = event.state;
  row.endedAt = hasEnded(row) ? (row.endedAt ?? at) : undefined;
  row.code = failureOf(event.data)?.code ?? row.code;
}

function failureOf(data: Record<string, unknown>): { code: string } | undefined {
  const { end, failure } = data as {
    end?: { failure?: { code: string } };
    failure?: { code: string };
  };
  return end?.failure ?? failure;
}

/** `2 running, 3 waiting, 7 succeeded`: in the order of a task's life. */
export function countsText(rows: readonly Row[], states: readonly string[]): string {
  const counts = Map.groupBy(rows, ({ state }) => state);
  return states
    .flatMap((state) => (counts.has(state) ? [`${counts.get(state)?.length} ${state}`] : []))
    .join(', ');
}
