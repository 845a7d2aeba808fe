/** What became of a run of a workflow, worked out from its tasks and their events. Pure. Read next: attempts.ts. */
import { STATE_KINDS } from '../../domain/state.ts';
import type { EventView, TaskView } from '../../protocol/views.ts';
import { type Attempt, attemptsOf } from './attempts.ts';

type Failure = NonNullable<TaskView['failure']>;

export interface ReportTask {
  id: string;
  name: string;
  state: string;
  host?: string | undefined;
  /** Ids of tasks of the run that it waits for. */
  after: string[];
  attempts: Attempt[];
  failure?: Failure | undefined;
  /** Of what failed: its last lines of stderr, and what prints the rest. */
  stderrTail?: string | undefined;
  logs?: TaskView['logs'] | undefined;
  /** Of all attempts together, as far as known. */
  wallMs?: number | undefined;
  cpuMs?: number | undefined;
  /** Of the largest process in any attempt. */
  maxRssBytes?: number | undefined;
  /** Of the last attempt that had any. */
  stagedBytes?: number | undefined;
  collectedBytes?: number | undefined;
}

export interface Report {
  workflow: string;
  run: string;
  /** When the report was made. */
  at: number;
  from: number;
  /** The end of the last task; of the report where the run goes on. */
  to: number;
  isOver: boolean;
  /** By state, in the order of a task's life. */
  counts: [state: string, count: number][];
  /** In the order of their submission. */
  tasks: ReportTask[];
}

interface About {
  run: string;
  now: number;
}

/** `views`: whole ones for those that failed. `events` by id of the task, in order. */
export function makeReport(
  views: readonly TaskView[],
  events: ReadonlyMap<string, readonly EventView[]>,
  { run, now }: About,
): Report {
  const ids = new Set(views.map(({ id }) => id));
  const tasks = views.map((view): ReportTask => {
    const told = attemptsOf(events.get(view.id) ?? [], now);
    const attempts = told.length > 0 ? told : withoutEvents(view, now);
    return { ...taskOf(view, ids), attempts, ...sumsOf(attempts, view) };
  });
  const isOver = views.every(({ ended }) => ended);
  const ends = views.map(({ finishedAt, since }) => Date.parse(finishedAt ?? since));
  const from = Math.min(...views.map(({ submittedAt }) => Date.parse(submittedAt)));
  return {
    workflow: views[0]?.tags['workflow'] ?? run,
    run,
    at: now,
    from,
    to: isOver ? Math.max(from, ...ends) : now,
    isOver,
    counts: countsOf(tasks),
    tasks,
  };
}

export function countsOf(tasks: readonly Pick<ReportTask, 'state'>[]): Report['counts'] {
  const groups = Map.groupBy(tasks, ({ state }) => state);
  return STATE_KINDS.flatMap((state) => {
    const group = groups.get(state);
    return group === undefined ? [] : [[state, group.length] as [string, number]];
  });
}

/** It failed, and not only because another one did. */
export const hasOwnFailure = ({ state, failure }: ReportTask): boolean =>
  failure !== undefined && state !== 'succeeded' && failure.code !== 'TASK_PREDECESSOR_FAILED';

function taskOf(view: TaskView, ids: ReadonlySet<string>): Omit<ReportTask, 'attempts'> {
  const { id, state, host, failure, stderrTail, logs, asked } = view;
  const after = (asked.after ?? []).filter((other) => ids.has(other));
  const name = view.name ?? id;
  return { id, name, state, host, after, failure, stderrTail, logs };
}

function sumsOf(attempts: readonly Attempt[], { outputs }: TaskView) {
  const used = attempts.flatMap(({ usage }) => usage ?? []);
  const sum = (numbers: number[]): number | undefined =>
    numbers.length === 0 ? undefined : numbers.reduce((total, one) => total + one, 0);
  const peaks = used.flatMap(({ maxRssBytes }) => maxRssBytes ?? []);
  const last = (key: 'stagedBytes' | 'collectedBytes'): number | undefined =>
    attempts.findLast((attempt) => attempt[key] !== undefined)?.[key];
  return {
    wallMs: sum(used.map(({ wallMs }) => wallMs)),
    cpuMs: sum(used.map(({ cpuUserMs, cpuSystemMs }) => cpuUserMs + cpuSystemMs)),
    maxRssBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
    stagedBytes: last('stagedBytes'),
    collectedBytes: last('collectedBytes') ?? sum(outputs.map(({ bytes }) => bytes)),
  };
}

/** Events are kept for a time only: what the task itself still knows. */
function withoutEvents(view: TaskView, now: number): Attempt[] {
  const past = (view.history ?? []).map((one) => ({ ...one, stretches: [] }));
  const { attempt, host, exitCode, failure, usage, startedAt, finishedAt } = view;
  const to = finishedAt === undefined ? now : Date.parse(finishedAt);
  const stretches =
    startedAt === undefined ? [] : [{ state: 'running', from: Date.parse(startedAt), to }];
  const result = view.ended ? view.state : undefined;
  return [...past, { attempt, host, result, exitCode, failure, usage, stretches }];
}
