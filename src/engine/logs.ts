/** What a task printed, from the local spool; the runtime's own log and files, from the host. */
import { posix } from 'node:path';
import { AppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { attemptToken, type StreamName, type Task } from '../domain/task.ts';
import type { ServiceDeps } from './create-service.ts';
import type { Seat } from './seats.ts';
import type { Service } from './service.ts';
import { ranAs, whereIs } from './where.ts';

const RUNTIME_LOG_MAX_BYTES = 1 << 20;

type Logs = Pick<Service, 'files'> & { read: Service['logs'] };

export function createLogs(
  deps: Pick<ServiceDeps, 'ledger' | 'spool' | 'seats' | 'watchers' | 'readOnly'>,
): Logs {
  const { ledger, spool, seats, watchers } = deps;

  /** Bytes of the attempt; while somebody follows, the host is asked often. */
  async function* followStream(
    task: Task,
    want: { stream: StreamName; attempt: number } & FollowWant,
  ) {
    const token = ranAs(task, want.attempt);
    // Nobody fetches anything on a state that is not our own.
    const over = deps.readOnly || isEnded(task.state) || want.attempt < task.state.attempt;
    const follow = want.follow && !over;
    const release = follow ? watchers.interest(token) : () => {};
    try {
      yield* spool.attempt(token).follow(want.stream, { ...want, follow });
    } finally {
      release();
    }
  }

  function placeOf(task: Task, attempt: number): { seat: Seat; directory: string } {
    const { host, root } = whereIs(task, attempt);
    if (host === undefined || root === undefined) {
      throw new AppError('TASK_WRONG_STATE', `task ${task.id} has not been launched on a host`, {
        context: { task: task.id },
      });
    }
    const seat = seats.get(host);
    return { seat, directory: seat.attemptDir(root, attemptToken(task.id, attempt)) };
  }

  async function* runtimeLog(task: Task, attempt: number): AsyncGenerator<Uint8Array> {
    const { state } = task;
    const { seat, directory } = placeOf(task, attempt);
    const path = posix.join(directory, 'runtime.log');
    try {
      yield await seat.host.readRange(path, 0, RUNTIME_LOG_MAX_BYTES);
    } catch (error) {
      const tail = 'exit' in state ? state.exit?.runtimeLogTail : undefined;
      if (tail === undefined || state.attempt !== attempt) throw error;
      yield Buffer.from(tail);
    }
  }

  return {
    async read(id, stream, options) {
      const task = await ledger.find(id);
      const attempt = options.attempt ?? task.state.attempt;
      if (attempt < 1 || attempt > task.state.attempt) {
        throw new AppError('TASK_NOT_FOUND', `task ${task.id} has no attempt ${attempt}`, {
          context: { task: task.id },
        });
      }
      if (stream === 'runtime') return runtimeLog(task, attempt);
      return followStream(task, { ...options, stream, attempt });
    },
    async files(id, path) {
      const task = await ledger.find(id);
      const { seat, directory } = placeOf(task, task.state.attempt);
      const inside = posix.normalize(`/${path}`);
      const entries = await seat.host.list(posix.join(directory, 'work', inside));
      return entries.map(({ name, kind, size }) => ({ name, kind, size }));
    },
  };
}

interface FollowWant {
  offset: number;
  follow: boolean;
  signal: AbortSignal;
}
