/**
 * Finds an earlier task that did the same and whose outputs are all still there: those delivered have the
 * bytes they had, those shared are held on their host.
 */
import { isAppError } from '../domain/failure.ts';
import type { EndedState, KeptOutputs } from '../domain/state.ts';
import { attemptToken, type Task } from '../domain/task.ts';
import { heldText, parseHeld } from '../script/kept.ts';
import type { Store } from '../store/store.ts';
import { type Fingerprinted, fingerprintOf } from './fingerprint.ts';
import type { Seats } from './seats.ts';
import { isDelivered } from './staging/deliver.ts';

type Taken = Pick<EndedState, 'exit' | 'outputs' | 'kept'> & {
  reused: NonNullable<EndedState['reused']>;
};

export type Reuse = { kind: 'taken'; taken: Taken } | { kind: 'none'; why: string };

interface ReuseDeps {
  store: Pick<Store, 'listTasks' | 'daemonId'>;
  seats: Seats;
}

/** Older ones are hardly more likely to be whole. */
const LOOKED_AT = 3;

/** Never fails: what cannot be found out is a reason to run the task. */
export async function findReusable(
  deps: ReuseDeps,
  what: Fingerprinted,
  signal: AbortSignal,
): Promise<Reuse> {
  const fingerprint = fingerprintOf(what);
  if (fingerprint === undefined) return none(`nobody knows what is in ${what.image.path}`);
  const { tasks } = await deps.store.listTasks({ fingerprint, limit: LOOKED_AT });
  const reasons: string[] = [];
  for (const task of tasks) {
    const lacks = await lackOf(deps, task, signal);
    if (lacks === undefined) return { kind: 'taken', taken: takenFrom(task, fingerprint) };
    reasons.push(lacks);
  }
  return none(reasons[0] ?? 'no task has succeeded that ran the same on the same');
}

function none(why: string): Reuse {
  return { kind: 'none', why };
}

function takenFrom({ id, state }: Task, fingerprint: string): Taken {
  const { exit, outputs, kept, reused } = state as EndedState;
  // of one that was not run itself, the one that was
  const ran = reused ?? { task: id, token: attemptToken(id, state.attempt) };
  return { exit, outputs, kept, reused: { ...ran, fingerprint } };
}

async function lackOf(
  deps: ReuseDeps,
  { id, state, spec }: Task,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { outputs, kept } = state as EndedState;
  for (const { local, sha256 } of outputs) {
    const isThere = await isDelivered({ ...{ local, sha256 }, ...ANY }).catch(() => false);
    if (!isThere) return `${local} is not what task ${id} made any more`;
  }
  if (spec.share === undefined) return undefined;
  if (kept === undefined) return `task ${id} shares nothing`;
  return heldBy(deps, kept, signal);
}

const ANY = { overwrite: true, mode: 0, token: '' };

async function heldBy(
  { seats, store }: ReuseDeps,
  { host, root, token, entries }: KeptOutputs,
  signal: AbortSignal,
): Promise<string | undefined> {
  const files = entries.filter((entry) => entry.kind === 'file');
  const text = heldText({ root, token, daemonId: store.daemonId }, files);
  try {
    const purpose = `looking whether outputs of ${token} are there`;
    const { output } = await seats.get(host).host.run(text, { purpose, signal });
    if (parseHeld(output, { host })) return undefined;
    return `${host} does not have what attempt ${token} shared any more`;
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    return `${host} cannot be asked for what attempt ${token} shared: ${error.message}`;
  }
}
