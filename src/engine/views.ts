/** Tasks as the door shows them: what is stored, joined with what only the moment knows. */
import { isEnded } from '../domain/state.ts';
import { attemptToken, type StreamName, type Task } from '../domain/task.ts';
import type { ServiceDeps } from './create-service.ts';
import type { TaskReport } from './service.ts';
import { stderrTail } from './stderr-tail.ts';
import { ranAs, whereIs } from './where.ts';
import { whyWaiting } from './why-waiting.ts';

export interface Views {
  report: (task: Task) => Promise<TaskReport>;
  /** With the last words of one that failed: what a list of thousands does without. */
  reportWhole: (task: Task) => Promise<TaskReport>;
}

type ViewDeps = Pick<
  ServiceDeps,
  'spool' | 'seats' | 'dispatcher' | 'images' | 'subscribers' | 'now'
>;

const NOT_LAUNCHED: ReadonlySet<Task['state']['kind']> = new Set([
  'held',
  'waiting',
  'queued',
  'staging',
  'pulling',
]);
const NO_STREAMS = { bytes: { stdout: 0, stderr: 0 }, complete: false };

export function createViews(deps: ViewDeps): Views {
  const { spool, seats, dispatcher, images, subscribers, now } = deps;

  async function report(task: Task): Promise<TaskReport> {
    const { state } = task;
    const { bytes, complete } = await streamsOf(task);
    const stream = (name: StreamName) => ({ bytes: bytes[name], complete });
    const host = 'host' in state ? state.host : undefined;
    return {
      task,
      waits: whyWaiting(task, seats.all()),
      // While the host is away a task's own try fails at once: the host's is the one that counts.
      nextTryAt: awaitsPerson(host)
        ? undefined
        : (hostNextTryAt(host) ?? pullNextTryAt(task) ?? dispatcher.nextTryAt(task.id)),
      streams: { stdout: stream('stdout'), stderr: stream('stderr') },
      remoteDir: directoryOf(task),
      progress: isEnded(state) ? undefined : subscribers.progressOf(task.id),
    };
  }

  /** What has not been launched has none: of thousands that are submitted at once the disk is not asked. */
  async function streamsOf(task: Task) {
    if (NOT_LAUNCHED.has(task.state.kind)) return NO_STREAMS;
    const token = ranAs(task, task.state.attempt);
    const bytes = await spool.bytes(token);
    return { bytes, complete: await spool.attempt(token).isComplete() };
  }

  async function reportWhole(task: Task): Promise<TaskReport> {
    const whole = await report(task);
    if (!('failure' in task.state)) return whole;
    const token = attemptToken(task.id, task.state.attempt);
    return { ...whole, stderrTail: await stderrTail(spool, token, whole.streams.stderr.bytes) };
  }

  function directoryOf(task: Task): string | undefined {
    const { host, root } = whereIs(task, task.state.attempt);
    const seat = seats.all().find((candidate) => candidate.name === host);
    if (root === undefined || !mayHaveDirectory(task)) return undefined;
    return seat?.attemptDir(root, attemptToken(task.id, task.state.attempt));
  }

  function pullNextTryAt({ state, spec }: Task): number | undefined {
    return state.kind === 'pulling' ? images.nextTryAt(state.host, spec.images) : undefined;
  }

  function linkOf(name: string | undefined) {
    return seats
      .all()
      .find((seat) => seat.name === name)
      ?.host.linkState();
  }

  /** Then no time is known: it goes on when somebody logs in. */
  function awaitsPerson(name: string | undefined): boolean {
    const paused =
      seats
        .all()
        .find((seat) => seat.name === name)
        ?.mode() === 'paused';
    return paused || linkOf(name)?.kind === 'needs-login';
  }

  /** A try that was due is under way and may take a while: its time is now. */
  function hostNextTryAt(name: string | undefined): number | undefined {
    const link = linkOf(name);
    return link !== undefined && 'nextTryAt' in link ? Math.max(link.nextTryAt, now()) : undefined;
  }

  return { report, reportWhole };
}

function mayHaveDirectory({ state }: Task): boolean {
  if (isEnded(state)) return state.cleanup === 'kept' || state.cleanup === 'pending';
  return ['launching', 'running', 'collecting', 'cancelling'].includes(state.kind);
}
