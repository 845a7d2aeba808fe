/** From a task as the engine reports it to the JSON that is shown. */
import type { FailureRecord } from '../domain/failure.ts';
import { isEnded, type TaskState } from '../domain/state.ts';
import { type Command, destinationOf, sourceText, type TaskSpec } from '../domain/task.ts';
import type { TaskReport } from '../engine/service.ts';
import type { TaskView } from '../protocol/views.ts';
import { historyView } from './history-view.ts';
import { logsOf } from './logs-view.ts';
import { onFinishView } from './on-finish-view.ts';
import { failureView, iso } from './view-parts.ts';

/** What is shown of a task. Never its environment or inline content. */
export function toTaskView(report: TaskReport): TaskView {
  const { task, streams } = report;
  const { spec, state } = task;
  return {
    id: task.id,
    ...(spec.name !== undefined && { name: spec.name }),
    state: state.kind,
    ended: isEnded(state),
    attempt: state.attempt,
    version: task.version,
    ...placeOf(state),
    ...jobOf(state),
    command: commandView(spec.command),
    submittedAt: iso(task.submittedAt),
    since: iso(isEnded(state) ? state.finishedAt : state.since),
    ...timesOf(state),
    ...exitOf(state),
    ...('failure' in state && { failure: failureView(state.failure as FailureRecord) }),
    ...(report.stderrTail !== undefined && { stderrTail: report.stderrTail }),
    ...logsOf(report),
    ...blockedOf(report),
    ...(state.kind === 'waiting' && { waitingOn: [...state.on] }),
    outputs: outputsOf(state),
    ...reuseOf(state),
    ...sharedOf(state),
    cleanup: { policy: spec.cleanup, state: isEnded(state) ? state.cleanup : 'none' },
    ...onFinishView(spec, state),
    ...(report.remoteDir !== undefined && { remoteDir: report.remoteDir }),
    streams: { stdout: { ...streams.stdout }, stderr: { ...streams.stderr } },
    ...(report.progress !== undefined && { progress: { ...report.progress } }),
    tags: spec.tags,
    priority: spec.priority,
    asked: askedView(spec),
    ...(task.history.length > 0 && { history: historyView(task.history) }),
  };
}

function placeOf(
  state: TaskState,
): Pick<TaskView, 'host' | 'gpus' | 'image' | 'imagePath' | 'imageDigest'> {
  const host = 'host' in state ? state.host : undefined;
  const image = 'image' in state ? state.image : undefined;
  return {
    ...(host !== undefined && { host }),
    ...('gpus' in state && state.gpus !== undefined && { gpus: [...state.gpus.devices] }),
    ...(image !== undefined && { image: image.reference, imagePath: image.path }),
    ...(image?.digest !== undefined && { imageDigest: image.digest }),
  };
}

function jobOf(state: TaskState): Pick<TaskView, 'job'> {
  const job = 'job' in state ? state.job : 'launch' in state ? state.launch?.job : undefined;
  if (job === undefined) return {};
  const { id, name, command, submittedAt, pilot = false, notes } = job;
  const more = notes === undefined ? {} : { notes: [...notes] };
  return { job: { id, name, command, submittedAt: iso(submittedAt), pilot, ...more } };
}

function timesOf(state: TaskState): Pick<TaskView, 'startedAt' | 'finishedAt'> {
  const launch = 'launch' in state ? state.launch : undefined;
  const exit = 'exit' in state ? state.exit : undefined;
  const finished = exit?.finishedAt ?? (isEnded(state) ? state.finishedAt : undefined);
  // Two clocks may have told them, and any of them may have been set back meanwhile.
  const end =
    finished === undefined ? undefined : Math.max(finished, launch?.startedAt ?? finished);
  return {
    ...(launch !== undefined && { startedAt: iso(launch.startedAt) }),
    ...(end !== undefined && { finishedAt: iso(end) }),
  };
}

function exitOf(state: TaskState): Pick<TaskView, 'exitCode' | 'limit' | 'usage'> {
  const exit = 'exit' in state ? state.exit : undefined;
  return {
    ...(exit?.code !== undefined && { exitCode: exit.code }),
    ...(exit?.limit !== undefined && { limit: exit.limit }),
    ...(exit?.usage !== undefined && { usage: { ...exit.usage } }),
  };
}

function blockedOf({ task, nextTryAt, waits }: TaskReport): Pick<TaskView, 'blocked'> {
  const blocked = ('blocked' in task.state ? task.state.blocked : undefined) ?? waits;
  if (blocked === undefined) return {};
  const next = nextTryAt === undefined ? {} : { nextTryAt: iso(nextTryAt) };
  return { blocked: { ...blocked, since: iso(blocked.since), ...next } };
}

function outputsOf(state: TaskState): TaskView['outputs'] {
  if (!isEnded(state)) return [];
  return state.outputs.map(({ pattern, ...rest }) => ({ path: pattern, ...rest }));
}

function reuseOf(state: TaskState): Pick<TaskView, 'reused' | 'notReused'> {
  if (isEnded(state) && state.reused !== undefined) return { reused: { task: state.reused.task } };
  const launch = 'launch' in state ? state.launch : undefined;
  const notReused = 'notReused' in state ? state.notReused : launch?.notReused;
  return notReused === undefined ? {} : { notReused };
}

function sharedOf(state: TaskState): Pick<TaskView, 'shared'> {
  if (!isEnded(state) || state.kept === undefined) return {};
  const { host, entries } = state.kept;
  const files = entries.filter((entry) => entry.kind === 'file');
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { shared: { host, files: files.length, bytes } };
}

function askedView(spec: TaskSpec): TaskView['asked'] {
  const { host, cpus, memoryBytes, gpus, require, slurm, timeLimitMs } = spec;
  return {
    images: [...spec.images],
    ...(host !== undefined && { host }),
    ...(cpus !== undefined && { cpus }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(gpus !== undefined && { gpus }),
    ...(require !== undefined && { require: [...require] }),
    ...(slurm !== undefined && { slurm }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    inputs: spec.inputs.map(({ source, target }) => ({ from: sourceText(source), to: target })),
    outputs: spec.outputs.map((output) => ({
      path: output.pattern,
      local: destinationOf(output),
    })),
    ...(spec.share !== undefined && { share: [...spec.share] }),
    retries: spec.retries,
    ...(spec.after !== undefined && { after: [...spec.after] }),
    acceptExit: [...spec.acceptExit],
  };
}

function commandView(command: Command): string | string[] {
  return command.kind === 'argv' ? [...command.argv] : command.text;
}
