/** Tasks for tests: a small one by default, in any state by way of real events. */
import { decide } from '../../src/domain/decide.ts';
import type { TaskEvent } from '../../src/domain/events.ts';
import type { ExitRecord, LaunchRecord, ReadyImage } from '../../src/domain/state.ts';
import type { Task, TaskId, TaskSpec } from '../../src/domain/task.ts';

export const IMAGE: ReadyImage = { reference: 'docker://mini:1', path: '/images/mini.sif' };

export const LAUNCH: LaunchRecord = {
  nonce: 'aa',
  pid: 10,
  startTicks: '5',
  bootId: 'boot',
  machineId: 'machine',
  hostname: 'vm',
  startedAt: 3,
  root: '/home/alice/.towline',
};

export function exitOf(code: number | undefined, more: Partial<ExitRecord> = {}): ExitRecord {
  return { code, runtimeCode: code ?? 255, stdoutBytes: 0, stderrBytes: 0, finishedAt: 9, ...more };
}

export function aSpec(more: Partial<TaskSpec> = {}): TaskSpec {
  return {
    images: ['docker://mini:1'],
    command: { kind: 'argv', argv: ['true'] },
    env: {},
    inputs: [],
    outputs: [],
    binds: [],
    cleanup: 'on-success',
    retries: 0,
    retryOn: [],
    acceptExit: [0],
    runtimeArgs: [],
    priority: 0,
    held: false,
    tags: {},
    ...more,
  };
}

export function aTask(more: Partial<TaskSpec> = {}, id = 'task1'): Task {
  return {
    id: id as TaskId,
    spec: aSpec(more),
    state: { kind: 'queued', attempt: 1, since: 0 },
    history: [],
    version: 1,
    submittedAt: 0,
  };
}

/** The task after these events; every one of them must be accepted. */
export function after(task: Task, ...events: TaskEvent[]): Task {
  return events.reduce((current, event) => {
    const decision = decide(current, event, current.version);
    if (decision.kind !== 'next')
      throw new Error(`${event.kind}: ${decision.kind}, ${decision.why}`);
    return { ...decision.task, version: current.version + 1 };
  }, task);
}

/** The way of a task without inputs and outputs up to its launch. */
export const TO_RUNNING: TaskEvent[] = [
  { kind: 'placed', attempt: 1, host: 'vm' },
  { kind: 'image-ready', attempt: 1, image: IMAGE },
  { kind: 'launched', attempt: 1, launch: LAUNCH },
];
