/**
 * Leaves a host: what this daemon made there is removed, and the host is paused, since the next contact
 * would make the root anew. Refused while tasks are there.
 */
import { AppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { attemptToken, type Task } from '../domain/task.ts';
import { forgetText, parseForget, type RootTrace } from '../script/forget.ts';
import { changeMode } from './change-mode.ts';
import type { ServiceDeps } from './create-service.ts';
import type { Seat } from './seats.ts';
import type { ForgetReport } from './service.ts';

const PAGE = 500;
const IDS_SHOWN_MAX = 5;

/** @throws HOST_IN_USE HOST_PAUSED HOST_ROOT_INVALID SSH_* HOST_* */
export async function forgetHost(
  deps: ServiceDeps,
  seat: Seat,
  { dryRun }: { dryRun: boolean },
): Promise<ForgetReport> {
  refuseInUse(deps, seat);
  const ended = await leftOn(deps, seat);
  if (dryRun) return reportOf(seat, dryRun, await sweep(deps, { seat, ended, remove: false }));
  const before = seat.mode();
  if (before === 'open') await changeMode(deps, seat, 'draining');
  try {
    // A task that was being placed while the host was closed to it.
    await deps.placer.settled();
    refuseInUse(deps, seat);
  } catch (error) {
    await changeMode(deps, seat, before);
    throw error;
  }
  const traces = await sweep(deps, { seat, ended, remove: true });
  const kept = new Set(traces.flatMap((trace) => trace.kept));
  for (const { task, attempt } of ended) {
    if (kept.has(attemptToken(task.id, attempt))) continue;
    await deps.ledger.apply(task.id, { kind: 'cleaned', attempt });
  }
  await changeMode(deps, seat, 'paused');
  return reportOf(seat, dryRun, traces);
}

function refuseInUse({ ledger }: ServiceDeps, { name }: Seat): void {
  const there = [...ledger.live()].filter(
    ({ state }) => !isEnded(state) && 'host' in state && state.host === name,
  );
  if (there.length === 0) return;
  const ids = there.slice(0, IDS_SHOWN_MAX).map(({ id }) => id);
  const more = there.length > ids.length ? ` and ${there.length - ids.length} more` : '';
  const message = `tasks are on host ${name}: ${ids.join(', ')}${more}`;
  throw new AppError('HOST_IN_USE', message, { context: { host: name, tasks: there.length } });
}

interface Left {
  task: Task;
  attempt: number;
  root?: string | undefined;
}

/** Attempts of ended tasks that still have a directory there. */
async function leftOn({ store }: ServiceDeps, { name }: Seat): Promise<Left[]> {
  const left: Left[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listTasks({ limit: PAGE, cursor });
    for (const task of page.tasks) {
      const { state } = task;
      const last = isEnded(state) ? [{ ...state, root: state.launch?.root }] : [];
      for (const { attempt, host, root, cleanup } of [...task.history, ...last]) {
        if (host === name && (cleanup === 'kept' || cleanup === 'pending')) {
          left.push({ task, attempt, root });
        }
      }
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return left;
}

/** The configured root, and those that it was before. */
async function sweep(
  { store, randomBytes }: ServiceDeps,
  { seat, ended, remove }: { seat: Seat; ended: readonly Left[]; remove: boolean },
): Promise<RootTrace[]> {
  const { policy, name, host } = seat;
  const launched = ended.flatMap(({ root }) => (root === undefined ? [] : [root]));
  const traces = new Map<string, RootTrace>();
  for (const rootTemplate of new Set([policy.root, ...launched])) {
    if (traces.has(rootTemplate)) continue;
    const nonce = Buffer.from(randomBytes(8)).toString('hex');
    const text = forgetText({ rootTemplate, daemonId: store.daemonId, nonce, remove });
    const purpose = `${remove ? 'removing' : 'looking for'} what is ours on ${name}`;
    const reply = await host.run(text, { purpose, lane: 'slow' });
    const trace = parseForget(reply.output, { host: name });
    if (trace !== undefined) traces.set(trace.root, trace);
  }
  return [...traces.values()];
}

function reportOf(seat: Seat, dryRun: boolean, roots: RootTrace[]): ForgetReport {
  const { name: host, policy } = seat;
  return { host, dryRun, mode: seat.mode(), roots, imageCacheDir: policy.imageCacheDir };
}
