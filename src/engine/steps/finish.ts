/**
 * Runs the user's command for the end of a task. The order stands in the database until the command has ended, so a
 * daemon that dies meanwhile runs it once more: at least once. Nothing that becomes of it changes the task.
 */
import PQueue from 'p-queue';
import { AppError, type FailureRecord } from '../../domain/failure.ts';
import { type EndedState, type HookEnd, isEnded } from '../../domain/state.ts';
import type { Task, TaskId } from '../../domain/task.ts';
import type { Step } from '../dispatcher.ts';
import { type HookOutcome, runHook } from '../run-hook.ts';
import type { TaskReport } from '../service.ts';
import type { EngineSettings } from '../settings.ts';

interface FinishDeps {
  settings: () => EngineSettings;
  report: (id: TaskId) => Promise<TaskReport>;
  shown?: ((report: TaskReport) => unknown) | undefined;
  now: () => number;
}

export function createFinish(deps: FinishDeps): Step {
  const line = new PQueue({ concurrency: deps.settings().limits.hooks });
  return async ({ task, attempt, signal }) => {
    const hook = await line.add(() => run(deps, { id: task.id, attempt, signal }), { signal });
    return { kind: 'hook-ended', attempt, hook };
  };
}

interface Asked {
  id: TaskId;
  attempt: number;
  signal: AbortSignal;
}

async function run(deps: FinishDeps, { id, attempt, signal }: Asked): Promise<HookEnd> {
  const report = await deps.report(id);
  const { spec, state } = report.task;
  if (!isEnded(state) || state.attempt !== attempt || spec.onFinish === undefined)
    return { at: deps.now(), ms: 0, passedOver: true };
  const limitMs = deps.settings().limits.hookMs;
  const outcome = await runHook({
    text: spec.onFinish,
    env: environmentOf(report.task, state),
    stdin: `${JSON.stringify(deps.shown?.(report) ?? report.task)}\n`,
    limitMs,
    signal,
  });
  // it was ended by us: it is run again by the next daemon
  signal.throwIfAborted();
  const { code, ms } = outcome;
  return { at: deps.now(), ms, code, failure: failureOf(outcome, { id, limitMs }) };
}

/** A variable without a value is empty, so that a script under `set -u` may ask for it. */
function environmentOf({ id, spec }: Task, state: EndedState): Record<string, string> {
  const { exit, host, attempt, kind } = state;
  return {
    TOWLINE_TASK_ID: id,
    TOWLINE_TASK_NAME: spec.name ?? '',
    TOWLINE_STATE: kind,
    TOWLINE_EXIT_CODE: exit?.code === undefined ? '' : String(exit.code),
    TOWLINE_ERROR_CODE: 'failure' in state ? state.failure.code : '',
    TOWLINE_ATTEMPT: String(attempt),
    TOWLINE_HOST: host ?? '',
  };
}

function failureOf(
  { code, error, late, words }: HookOutcome,
  { id, limitMs }: { id: TaskId; limitMs: number },
): FailureRecord | undefined {
  if (code === 0 && !late) return undefined;
  const why = late
    ? `ran longer than ${limitMs} ms ([daemon] hook_time) and was ended`
    : code === undefined
      ? `could not be started: ${error}`
      : `ended with code ${code}`;
  const said = words === '' ? '' : `: ${words}`;
  const message = `the command for the end of task ${id} ${why}${said}`;
  return new AppError('TASK_HOOK_FAILED', message, { context: { task: id, code } }).toRecord();
}
