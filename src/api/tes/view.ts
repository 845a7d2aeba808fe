/** A task as TES shows it: only fields of the specification, nothing that is null or empty where a value belongs. */
import type { FailureRecord } from '../../domain/failure.ts';
import { type Blocked, type ExitRecord, isEnded, type TaskState } from '../../domain/state.ts';
import { attemptToken, type PastAttempt, type Task } from '../../domain/task.ts';
import type { DocumentRow, TaskReport } from '../../engine/service.ts';
import type { TesDocument, TesInput, TesTask, TesView } from '../../protocol/tes/schema.ts';
import { type TesState, tesStateOf } from '../../protocol/tes/states.ts';
import { iso } from '../view-parts.ts';
import { outputLogs, type TesOutputFileLog } from './output-logs.ts';

export interface TesMinimal {
  id: string;
  state: TesState;
}

interface TesExecutorLog {
  exit_code: number;
  start_time?: string;
  end_time?: string;
  stdout?: string;
  stderr?: string;
}

interface TesTaskLog {
  logs: TesExecutorLog[];
  outputs: TesOutputFileLog[];
  metadata: Record<string, string>;
  start_time?: string;
  end_time?: string;
  system_logs?: string[];
}

export interface TesTaskView extends TesTask, TesMinimal {
  creation_time: string;
  logs: TesTaskLog[];
}

/** Both ends of what a command of the current attempt printed. */
export interface Printed {
  stdout: string;
  stderr: string;
}

export function minimalView({ id, kind, failing }: DocumentRow): TesMinimal {
  return { id, state: tesStateOf(kind, failing) };
}

/** BASIC; with `printed` FULL. */
export function wholeView(
  report: TaskReport,
  { task: asked, warnings }: TesDocument,
  printed?: readonly Printed[],
): TesTaskView {
  const { task } = report;
  const { inputs, ...rest } = asked;
  const past = task.history.map((attempt) => pastLog(attempt, printed !== undefined));
  return {
    id: task.id,
    state: stateOf(task.state),
    ...rest,
    ...(inputs !== undefined && {
      inputs: printed === undefined ? inputs.map(withoutContent) : inputs,
    }),
    creation_time: iso(task.submittedAt),
    logs: [...past, currentLog(report, { task: asked, warnings }, printed)],
  };
}

export function viewOf(
  view: TesView,
  row: DocumentRow,
  whole: (full: boolean) => Promise<TesTaskView>,
): Promise<TesTaskView> | TesMinimal {
  return view === 'MINIMAL' ? minimalView(row) : whole(view === 'FULL');
}

function withoutContent(input: TesInput): TesInput {
  const { content, ...rest } = input;
  return content === undefined ? input : rest;
}

function stateOf(state: TaskState): TesState {
  return tesStateOf(state.kind, state.kind === 'cancelling' && state.failure !== undefined);
}

function pastLog(past: PastAttempt, full: boolean): TesTaskLog {
  return {
    logs: past.exit === undefined ? [] : executorLogs(past.exit),
    outputs: [],
    metadata: metadataOf(past.attempt, past.host),
    end_time: iso(past.finishedAt),
    ...(full && { system_logs: past.failure === undefined ? [] : failureLines(past.failure) }),
  };
}

function currentLog(
  report: TaskReport,
  document: TesDocument,
  printed?: readonly Printed[],
): TesTaskLog {
  const { task } = report;
  const { state } = task;
  const exit = 'exit' in state ? state.exit : undefined;
  const startedAt = 'launch' in state ? state.launch?.startedAt : undefined;
  const host = 'host' in state ? state.host : undefined;
  return {
    logs: exit === undefined ? [] : executorLogs(exit, startedAt, printed),
    outputs: isEnded(state) ? outputLogs(task, state.outputs, document.task) : [],
    metadata: metadataOf(state.attempt, host),
    ...(startedAt !== undefined && { start_time: iso(startedAt) }),
    ...(isEnded(state) && { end_time: iso(state.finishedAt) }),
    ...(printed !== undefined && { system_logs: systemLogs(report, document.warnings) }),
  };
}

/** One for each command that ran; `printed` has what each has printed. */
function executorLogs(
  exit: ExitRecord,
  startedAt?: number,
  printed: readonly Printed[] = [],
): TesExecutorLog[] {
  const alone = { code: exit.code ?? exit.runtimeCode, startedAt, finishedAt: exit.finishedAt };
  return (exit.steps ?? [alone]).map((end, index) => ({
    exit_code: end.code,
    ...(end.startedAt !== undefined && { start_time: iso(end.startedAt) }),
    end_time: iso(end.finishedAt),
    ...(printed[index]?.stdout && { stdout: printed[index].stdout }),
    ...(printed[index]?.stderr && { stderr: printed[index].stderr }),
  }));
}

function metadataOf(attempt: number, host: string | undefined): Record<string, string> {
  return { attempt: String(attempt), ...(host !== undefined && { host }) };
}

/** Why it is as it is: what could not be followed, what it waits for, how it failed. */
function systemLogs({ task, waits }: TaskReport, warnings: readonly string[]): string[] {
  const { state } = task;
  const blocked = 'blocked' in state ? state.blocked : undefined;
  const exit = 'exit' in state ? state.exit : undefined;
  return [
    ...warnings.map((warning) => `warning: ${warning}`),
    ...[waits, blocked].flatMap((why) => (why === undefined ? [] : blockedLines(why))),
    ...('failure' in state && state.failure !== undefined ? failureLines(state.failure) : []),
    ...('failure' in state && whereLine(task) !== undefined ? [whereLine(task) ?? ''] : []),
    ...('launch' in state && state.launch?.job !== undefined ? [`job ${state.launch.job.id}`] : []),
    ...(exit?.runtimeLogTail === undefined ? [] : [`runtime: ${exit.runtimeLogTail.trim()}`]),
  ];
}

function blockedLines({ host, reason, message, hint }: Blocked): string[] {
  return [`${reason} on ${host}: ${message}`, `hint: ${hint}`];
}

function failureLines({ code, message, hint }: FailureRecord): string[] {
  return [`${code}: ${message}`, ...(hint === '' ? [] : [`hint: ${hint}`])];
}

function whereLine({ id, state }: Task): string | undefined {
  if (!('host' in state) || state.host === undefined) return undefined;
  return `host ${state.host}, attempt ${attemptToken(id, state.attempt)}`;
}
