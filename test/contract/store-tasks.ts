/** Tasks, events and changes for the tests of the store. */
import { randomUUID } from 'node:crypto';
import type { TaskState } from '../../src/domain/state.ts';
import type { Task, TaskId, TaskSpec } from '../../src/domain/task.ts';
import type { Change, NewEvent } from '../../src/store/store.ts';

export const NOW = 1_700_000_000_000;

export function aSpec(over: Partial<TaskSpec> = {}): TaskSpec {
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
    ...over,
  };
}

export function aTask(over: Partial<Task> = {}): Task {
  return {
    id: randomUUID() as TaskId,
    spec: aSpec(),
    state: { kind: 'queued', attempt: 1, since: NOW },
    history: [],
    version: 1,
    submittedAt: NOW,
    ...over,
  };
}

/** The next version of a task, in another state. */
export function moved(task: Task, state: TaskState): Task {
  return { ...task, state, version: task.version + 1 };
}

export function staging(host = 'vm'): TaskState {
  return { kind: 'staging', attempt: 1, host, since: NOW };
}

export function succeeded(
  over: Partial<Extract<TaskState, { kind: 'succeeded' }>> = {},
): TaskState {
  return {
    kind: 'succeeded',
    attempt: 1,
    host: 'vm',
    outputs: [],
    finishedAt: NOW,
    cleanup: 'done',
    ...over,
  };
}

export function anEvent(task: Task, over: Partial<NewEvent> = {}): NewEvent {
  return {
    at: NOW,
    task: task.id,
    attempt: task.state.attempt,
    kind: 'submitted',
    state: task.state.kind,
    data: {},
    ...over,
  };
}

export function aChange(task: Task, over: Partial<Change> = {}): Change {
  return { task, events: [anEvent(task)], effects: [], ...over };
}

/** One task in every state there is, with everything a state can carry. */
export function everyState(): TaskState[] {
  const blocked = {
    host: 'vm',
    reason: 'SSH_HOST_UNREACHABLE',
    message: 'no answer',
    hint: 'see',
    since: NOW,
  };
  const inputs = {
    files: [
      { kind: 'object', sha256: 'aa', mode: 0o644, target: 'a', bytes: 3 },
      { kind: 'directory', target: 'd' },
      { kind: 'remote', path: '/data', target: 'r' },
    ],
    stdin: { sha256: 'bb', mode: 0o600 },
  } satisfies Extract<TaskState, { kind: 'pulling' }>['inputs'];
  const image = { reference: 'docker://mini:1', path: '/root/images/a.sif', sha256: 'cc' };
  const launch = {
    nonce: 'n',
    pid: 7,
    startTicks: '99',
    bootId: 'b',
    machineId: 'm',
    hostname: 'h',
    startedAt: NOW,
    root: '/home/alice/.towline',
  };
  const exit = {
    code: 3,
    runtimeCode: 3,
    limit: 'memory',
    stdoutBytes: 1,
    stderrBytes: 2,
    finishedAt: NOW,
    runtimeLogTail: 'x',
    salvaged: true,
  } satisfies Extract<TaskState, { kind: 'collecting' }>['exit'];
  const failure = {
    code: 'TASK_EXIT_CODE',
    message: 'm',
    hint: 'h',
    context: { code: 3 },
  } as const;
  const outputs = [{ pattern: '*', remote: 'a', local: '/a', bytes: 1, sha256: 'dd' }];
  const onHost = { attempt: 2, host: 'vm', since: NOW, blocked };
  const attempt = 2;
  const ended = {
    attempt,
    host: 'vm',
    image,
    launch,
    exit,
    outputs,
    finishedAt: NOW,
    cleanup: 'kept',
    blocked,
  } as const;
  return [
    { kind: 'held', attempt, since: NOW },
    { kind: 'waiting', attempt, since: NOW, on: ['other' as TaskId] },
    { kind: 'queued', attempt, since: NOW },
    { kind: 'staging', ...onHost },
    { kind: 'pulling', inputs, ...onHost },
    { kind: 'launching', inputs, image, ...onHost },
    { kind: 'running', image, launch, ...onHost },
    { kind: 'collecting', image, launch, exit, ...onHost },
    { kind: 'cancelling', image, launch, exit, published: true, ...onHost },
    { kind: 'succeeded', ...ended, outputs },
    { kind: 'failed', failure, ...ended, outputs },
    { kind: 'error', failure, ...ended, outputs },
    { kind: 'cancelled', ...ended, outputs },
    { kind: 'interrupted', failure, ...ended, outputs },
  ];
}
