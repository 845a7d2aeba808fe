/** States and hosts as the fake engine tells them. */
import { AppError } from '../../src/domain/failure.ts';
import type { TaskState } from '../../src/domain/state.ts';
import type { Task } from '../../src/domain/task.ts';
import type { HostReport } from '../../src/engine/service.ts';

export const HOST = 'vm';
export const DIR = '/home/alice/.towline/tasks/fake';

interface End {
  task: Task;
  attempt: number;
  end: number | AppError;
  cancelled: boolean;
  streams: { stdoutBytes: number; stderrBytes: number };
}

/** The state in which an attempt ends. */
export function endStateOf({ task, attempt, end, cancelled, streams }: End): TaskState {
  const code = typeof end === 'number' ? { code: end } : {};
  const finishedAt = Date.now();
  const base = {
    attempt,
    host: HOST,
    image: { reference: task.spec.images[0] ?? '', path: `${DIR}/image.sif` },
    exit: { ...code, runtimeCode: 0, ...streams, finishedAt },
    outputs: [],
    finishedAt,
    cleanup: 'done' as const,
  };
  if (cancelled) return { kind: 'cancelled', ...base };
  if (typeof end === 'object') return { kind: 'error', ...base, failure: end.toRecord() };
  if (task.spec.acceptExit.includes(end)) return { kind: 'succeeded', ...base };
  const failure = new AppError('TASK_EXIT_CODE', `the command ended with ${end}`, {
    context: { task: task.id },
  });
  return { kind: 'failed', ...base, failure: failure.toRecord() };
}

/** A host that is ready. */
export function fakeHost(name = HOST): HostReport {
  return {
    name,
    type: 'ssh',
    address: 'alice@192.0.2.10:22',
    scheduler: 'none',
    link: { kind: 'ready', since: 0 },
    mode: 'open',
    root: '~/.towline',
    slots: { maxTasks: 8, usedTasks: 1, usedCpus: 1, usedMemoryBytes: 0, usedGpus: 0 },
    tags: [],
    gpus: [],
    counters: {
      logins: 1,
      channels: 2,
      shellBatches: 3,
      shellCommands: 4,
      sftpRequests: 5,
      bytesSent: 6,
      bytesReceived: 7,
    },
  };
}
