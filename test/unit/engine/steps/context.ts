/** What a step is given, for its tests. */
import type { NewsEvent, TaskEvent } from '../../../../src/domain/events.ts';
import type { AppError } from '../../../../src/domain/failure.ts';
import type { TaskSpec } from '../../../../src/domain/task.ts';
import type { StepContext } from '../../../../src/engine/dispatcher.ts';
import { after, aTask } from '../../../support/builders.ts';

export const TOKEN = 'task1.1';
export const DIR = `/home/alice/.towline/tasks/d4a3c7f0-0000-4000-8000-000000000001/${TOKEN}`;

/** A task after these events, as its step gets it. */
export function contextOf(more: Partial<TaskSpec>, ...events: TaskEvent[]) {
  const troubles: (AppError | undefined)[] = [];
  const told: NewsEvent[] = [];
  const controller = new AbortController();
  const task = after(aTask(more), ...events);
  const context: StepContext = {
    task,
    attempt: task.state.attempt,
    signal: controller.signal,
    trouble: async (error) => void troubles.push(error),
    tell: async (event) => void told.push(event),
  };
  return { context, task, controller, troubles, told };
}

/** A status look: one attempt of which this is said, with streams of these sizes. */
export function statusReply(lines: string[], out = 0, err = 0): string {
  const sizes = [`@ size ${out} ${DIR}/stdout`, `@ size ${err} ${DIR}/stderr`];
  return ['@ host boot machine vm', ...lines, ...sizes].join('\n');
}

export function exitLine(more: Record<string, unknown> = {}): string {
  const record = {
    format: 1,
    n: 'aa',
    started: true,
    code: 0,
    direct: false,
    runtimeCode: 0,
    limit: null,
    copier: null,
    copierCode: null,
    out: 0,
    err: 0,
    at: 9,
    log: '',
    ...more,
  };
  return `@ exit 0 ${JSON.stringify(record)}`;
}
