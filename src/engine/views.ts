/** Tasks and counters as the door shows them: what is stored, joined with what only the moment knows. */
import { ENDED_KINDS, isEnded, STATE_KINDS } from '../domain/state.ts';
import { attemptToken, type StreamName, type Task } from '../domain/task.ts';
import type { ServiceDeps } from './create-service.ts';
import type { TaskReport } from './service.ts';
import { whereIs } from './where.ts';

export interface Views {
  report: (task: Task) => Promise<TaskReport>;
  metrics: () => Record<string, number>;
}

type ViewDeps = Pick<
  ServiceDeps,
  'spool' | 'seats' | 'ledger' | 'dispatcher' | 'subscribers' | 'store' | 'now'
>;

export function createViews(deps: ViewDeps): Views {
  const { spool, seats, ledger, dispatcher, subscribers, store, now } = deps;

  async function report(task: Task): Promise<TaskReport> {
    const { state } = task;
    const token = attemptToken(task.id, state.attempt);
    const bytes = await spool.bytes(token);
    const complete = await spool.attempt(token).isComplete();
    const stream = (name: StreamName) => ({ bytes: bytes[name], complete });
    const host = 'host' in state ? state.host : undefined;
    return {
      task,
      // While the host is away a task's own try fails at once: the host's is the one that counts.
      nextTryAt: awaitsPerson(host)
        ? undefined
        : (hostNextTryAt(host) ?? dispatcher.nextTryAt(task.id)),
      streams: { stdout: stream('stdout'), stderr: stream('stderr') },
      remoteDir: directoryOf(task),
      progress: isEnded(state) ? undefined : subscribers.progressOf(task.id),
    };
  }

  function directoryOf(task: Task): string | undefined {
    const { host, root } = whereIs(task, task.state.attempt);
    const seat = seats.all().find((candidate) => candidate.name === host);
    if (root === undefined || !mayHaveDirectory(task)) return undefined;
    return seat?.attemptDir(root, attemptToken(task.id, task.state.attempt));
  }

  function linkOf(name: string | undefined) {
    return seats
      .all()
      .find((seat) => seat.name === name)
      ?.host.linkState();
  }

  /** Then no time is known: it goes on when somebody logs in. */
  function awaitsPerson(name: string | undefined): boolean {
    return linkOf(name)?.kind === 'needs-login';
  }

  /** A try that was due is under way and may take a while: its time is now. */
  function hostNextTryAt(name: string | undefined): number | undefined {
    const link = linkOf(name);
    return link !== undefined && 'nextTryAt' in link ? Math.max(link.nextTryAt, now()) : undefined;
  }

  function metrics(): Record<string, number> {
    const numbers: Record<string, number> = {};
    for (const kind of STATE_KINDS) {
      if (!(ENDED_KINDS as readonly string[]).includes(kind))
        numbers[`towline_tasks{state="${kind}"}`] = 0;
    }
    for (const { state } of ledger.live()) {
      const key = `towline_tasks{state="${state.kind}"}`;
      if (key in numbers) numbers[key] = (numbers[key] ?? 0) + 1;
    }
    const { transactions, changes } = store.counters();
    numbers['towline_store_transactions_total'] = transactions;
    numbers['towline_store_changes_total'] = changes;
    for (const seat of seats.all()) {
      const label = `{host="${seat.name}"}`;
      numbers[`towline_host_ready${label}`] = seat.host.linkState().kind === 'ready' ? 1 : 0;
      for (const [name, value] of Object.entries(seat.host.counters())) {
        numbers[`towline_host_${snake(name)}_total${label}`] = value as number;
      }
    }
    return numbers;
  }

  return { report, metrics };
}

function mayHaveDirectory({ state }: Task): boolean {
  if (isEnded(state)) return state.cleanup === 'kept' || state.cleanup === 'pending';
  return ['launching', 'running', 'collecting', 'cancelling'].includes(state.kind);
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
