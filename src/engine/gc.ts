/**
 * Removes what nobody needs any more: kept directories on the hosts and tasks nothing is left of (here),
 * streams and uploads that no task names (gc-local.ts), leftovers on the hosts (gc-hosts.ts), old events.
 * The store goes first and files after it, so that a daemon that dies between leaves files without a
 * task, which the next run finds, and never a task without its files.
 */
import { isAppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { attemptToken, type Task, type TaskId } from '../domain/task.ts';
import type { NewRemoval } from '../store/store.ts';
import { sweepHosts } from './gc-hosts.ts';
import { sweepLocal } from './gc-local.ts';
import { createNeeds } from './gc-needs.ts';
import { type GcDeps, type GcRun, removed } from './gc-run.ts';
import type { GcReport, GcRequest } from './service.ts';

const PAGE = 500;
/** A script may take what a task shares when it has looked at it. */
const SHARED_MS_MIN = 3_600_000;
/** Together they are one transaction. */
const AT_ONCE = 100;

/** One run at a time: a second one begins when the first has ended. `mayChange` throws where it may not. */
export function createGc(
  deps: GcDeps,
  mayChange: () => void = () => {},
): (request: GcRequest) => Promise<GcReport> {
  let last: Promise<unknown> = Promise.resolve();
  return async (request) => {
    if (!request.dryRun) mayChange();
    const result = last.then(() => collectGarbage(deps, request));
    last = result.catch(() => {});
    return result;
  };
}

async function collectGarbage(deps: GcDeps, request: GcRequest): Promise<GcReport> {
  const report: GcReport = { cleaned: [], forgotten: [], removed: [], away: [] };
  const at = deps.now();
  const run: GcRun = { deps, request, at, report, named: new Set(), holding: new Set() };
  const old: Task[] = [];
  const needs = createNeeds();
  for await (const task of allTasks(deps)) {
    const { stdin } = task.spec;
    needs.see(task);
    if (stdin?.kind === 'file') run.named.add(stdin.path);
    const fate = fateOf(run, task);
    if (fate === 'clean') report.cleaned.push(task.id);
    if (fate === 'forget') old.push(task);
  }
  const keptMs = request.olderThanMs ?? deps.settings().defaults.keepFailedMs;
  run.holding = needs.holding(at - Math.max(keptMs, SHARED_MS_MIN));
  if (!request.dryRun) for (const id of report.cleaned) await askFor(deps, id);
  const unneeded = old.filter(({ id }) => !needs.isTaken(id));
  for (let from = 0; from < unneeded.length; from += AT_ONCE) {
    await Promise.all(unneeded.slice(from, from + AT_ONCE).map((task) => forget(run, task)));
  }
  if (request.host === undefined) {
    await sweepLocal(run);
    await pruneEvents(run);
  }
  await sweepHosts(run);
  return report;
}

function fateOf(
  { deps, request, at }: GcRun,
  { state, history }: Task,
): 'clean' | 'forget' | 'stay' {
  if (!isEnded(state)) return 'stay';
  if (request.host !== undefined && state.host !== request.host) return 'stay';
  const { keepFailedMs, keepTasksMs } = deps.settings().defaults;
  const endedBefore = (age: number): boolean =>
    state.finishedAt <= at - (request.olderThanMs ?? age);
  const cleanups = [...history.map((past) => past.cleanup), state.cleanup];
  if (cleanups.includes('kept')) return endedBefore(keepFailedMs) ? 'clean' : 'stay';
  // Nothing of it is on a host any more.
  const settled = cleanups.every((cleanup) => cleanup === 'done' || cleanup === 'none');
  return settled && endedBefore(keepTasksMs) ? 'forget' : 'stay';
}

/** A task that was retried meanwhile keeps what it has. */
async function askFor({ ledger }: GcDeps, id: TaskId): Promise<void> {
  await ledger.apply(id, { kind: 'gc-asked' }).catch((error: unknown) => {
    if (!isAppError(error) || error.code !== 'TASK_WRONG_STATE') throw error;
  });
}

async function* allTasks({ store }: GcDeps): AsyncGenerator<Task> {
  let cursor: string | undefined;
  do {
    const page = await store.listTasks({ limit: PAGE, cursor });
    yield* page.tasks;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function forget(run: GcRun, { id, state }: Task): Promise<void> {
  const { spool, ledger } = run.deps;
  const tokens = Array.from({ length: state.attempt }, (_, n) => attemptToken(id, n + 1));
  const sizes = await Promise.all(
    tokens.map((token) => spool.bytes(token).catch(() => ({ stdout: 0, stderr: 0 }))),
  );
  const bytes = sizes.reduce((sum, { stdout, stderr }) => sum + stdout + stderr, 0);
  const removal: NewRemoval = { at: run.at, kind: 'task', what: id, count: 1, bytes };
  if (!run.request.dryRun) {
    if (!(await ledger.forget(id, removal))) return;
    for (const token of tokens) await spool.remove(token);
  }
  run.report.forgotten.push(id);
  run.report.removed.push(removal);
}

async function pruneEvents(run: GcRun): Promise<void> {
  const { deps, request, at } = run;
  if (request.dryRun) return;
  const { keepEventsMs, eventsMax } = deps.settings().limits;
  const limits = { keep: eventsMax, before: at - keepEventsMs };
  let count = 0;
  let round = 0;
  do {
    round = await deps.store.pruneEvents(limits);
    count += round;
  } while (round > 0);
  if (count > 0) await removed(run, [{ at, kind: 'events', what: 'the oldest', count }]);
}
