/** Removes what was kept for the user on the hosts, and forgets tasks nothing is left of. */
import { isAppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { attemptToken, type Task, type TaskId } from '../domain/task.ts';
import type { ServiceDeps } from './create-service.ts';
import type { GcReport, GcRequest } from './service.ts';

const PAGE = 500;

export function createGc(deps: ServiceDeps): (request: GcRequest) => Promise<GcReport> {
  return async ({ olderThanMs, dryRun }) => {
    const before = deps.now() - (olderThanMs ?? deps.settings().defaults.keepFailedMs);
    const report: GcReport = { cleaned: [], forgotten: [] };
    for await (const task of endedBefore(deps, before)) {
      if (hasKept(task)) report.cleaned.push(task.id);
      else if (isSettled(task)) report.forgotten.push(task.id);
    }
    if (dryRun) return report;
    for (const id of report.cleaned) await askFor(deps, id);
    await forget(deps, report.forgotten);
    return report;
  };
}

/** A task that was retried meanwhile keeps what it has. */
async function askFor({ ledger }: ServiceDeps, id: TaskId): Promise<void> {
  await ledger.apply(id, { kind: 'gc-asked' }).catch((error: unknown) => {
    if (!isAppError(error) || error.code !== 'TASK_WRONG_STATE') throw error;
  });
}

async function* endedBefore({ store }: ServiceDeps, before: number): AsyncGenerator<Task> {
  let cursor: string | undefined;
  do {
    const page = await store.listTasks({ limit: PAGE, cursor });
    for (const task of page.tasks) {
      if (isEnded(task.state) && task.state.finishedAt <= before) yield task;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function forget({ store, spool }: ServiceDeps, ids: TaskId[]): Promise<void> {
  for (const id of ids) {
    const task = await store.getTask(id);
    if (task === undefined) continue;
    for (let attempt = 1; attempt <= task.state.attempt; attempt += 1) {
      await spool.remove(attemptToken(id, attempt));
    }
  }
  if (ids.length > 0) await store.forget(ids);
}

function cleanups(task: Task): string[] {
  const last = isEnded(task.state) ? [task.state.cleanup] : [];
  return [...task.history.map((past) => past.cleanup), ...last];
}

function hasKept(task: Task): boolean {
  return cleanups(task).includes('kept');
}

/** Nothing of it is on a host any more. */
function isSettled(task: Task): boolean {
  return cleanups(task).every((cleanup) => cleanup === 'done' || cleanup === 'none');
}
