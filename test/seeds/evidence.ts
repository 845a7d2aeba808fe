/** Collects from outside what the oracle judges: database, ledger, bytes through the door, files, processes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailureRecord } from '../../src/domain/failure.ts';
import { isEnded } from '../../src/domain/state.ts';
import { until } from '../support/until.ts';
import type { Compared, Outcome } from './allowed.ts';
import { ALL, type Hit } from './inject.ts';
import { isAtRest, lookAtStore, type StoredTask } from './look.ts';
import type { Evidence, SeenAttempt } from './oracle.ts';
import { codeOf, OUTPUT } from './payload.ts';
import type { Kind } from './plan.ts';
import { leaks, leftovers, remoteNames } from './remains.ts';
import { knownBytes, type Scene } from './scene.ts';

export interface Seen {
  ids: (string | undefined)[];
  hits: readonly Hit[];
  /** Places where secrets were seen while it ran. */
  leaked: string[];
}

/** The end of one attempt, past or last. */
interface AttemptEnd {
  task: StoredTask;
  index: number;
  number: number;
  last: boolean;
  result: Outcome['result'];
  code: number | undefined;
  failure: FailureRecord | undefined;
}

/** To be called when the run has come to rest, or did not in time; the daemon runs. */
export async function collect(scene: Scene, { ids, hits, leaked }: Seen): Promise<Evidence> {
  const tasks = lookAtStore(scene.daemon.stateDir)?.tasks ?? [];
  const unsettled = tasks.filter((task) => !isAtRest(task));
  const names = await remoteNames(scene);
  const attempts: SeenAttempt[] = [];
  for (const end of tasks.flatMap((task) => endsOf(task, ids.indexOf(task.id)))) {
    if (end.index >= 0) attempts.push(await seenAttempt(scene, { end, hits, names }));
  }
  return {
    ids,
    listed: tasks.map(({ id }) => id),
    attempts,
    open: unsettled.map(({ id, state }) => `${id}.${state.attempt}`),
    ledger: ledgerOf(scene),
    unsettled: unsettled.map(whereItStands),
    leaks: [...leaked, ...(await leaks(scene, scene.canaries))],
    leftovers: unsettled.length > 0 ? [] : await restOf(scene, tasks),
    daemon: [...scene.kept.faults(), ...bugsIn(scene.daemon.log())],
  };
}

function endsOf(task: StoredTask, index: number): AttemptEnd[] {
  const past = task.history.map(({ attempt, result, exit, failure }): AttemptEnd => {
    return { task, index, number: attempt, last: false, result, code: exit?.code, failure };
  });
  const { state } = task;
  if (!isEnded(state)) return past;
  const failure = 'failure' in state ? state.failure : undefined;
  const { attempt: number, kind: result, exit } = state;
  return [...past, { task, index, number, last: true, result, code: exit?.code, failure }];
}

async function seenAttempt(
  scene: Scene,
  { end, hits, names }: { end: AttemptEnd; hits: readonly Hit[]; names: readonly string[] },
): Promise<SeenAttempt> {
  const { task, index, number, last, result, code, failure } = end;
  const token = `${task.id}.${number}`;
  const planned = scene.plan.tasks[index];
  if (planned === undefined) throw new Error(`no task ${index}`);
  const faults = hits.filter(({ whom }) => [ALL, task.id, token].includes(whom));
  return {
    token,
    task: index,
    faults: new Set<Kind>(faults.map(({ kind }) => kind)),
    outcome: {
      result,
      code,
      failure,
      neverStarted: names.some((name) => name.includes(`/${token}/cancelled.`)),
      expectedCode: codeOf(planned, number),
      streams: {
        stdout: await compareStream(scene, { id: task.id, number, index, stream: 'stdout' }),
        stderr: await compareStream(scene, { id: task.id, number, index, stream: 'stderr' }),
      },
      output: planned.output && last ? compareOutput(scene, index) : undefined,
    },
  };
}

async function compareStream(
  scene: Scene,
  which: { id: string; number: number; index: number; stream: 'stdout' | 'stderr' },
): Promise<Compared> {
  const { id, number, index, stream } = which;
  const chunks: Buffer[] = [];
  for await (const chunk of scene.client.logs(id, stream, { attempt: number })) chunks.push(chunk);
  return compare(Buffer.concat(chunks), knownBytes(scene.plan, index, stream));
}

function compareOutput(scene: Scene, index: number): Compared | 'absent' {
  const path = join(scene.dir, 'outputs', String(index), OUTPUT);
  if (!existsSync(path)) return 'absent';
  return compare(readFileSync(path), knownBytes(scene.plan, index, 'stdout'));
}

function compare(seen: Buffer, known: Buffer): Compared {
  if (seen.equals(known)) return 'whole';
  return seen.equals(known.subarray(0, seen.length)) ? 'part' : 'wrong';
}

/** What goes by itself is given a moment: a supervisor ends after it has written its record. */
async function restOf(scene: Scene, tasks: readonly StoredTask[]): Promise<string[]> {
  const kept = tasks.flatMap(({ id, state, history }) => [
    ...history.filter(({ cleanup }) => cleanup === 'kept').map(({ attempt }) => `${id}.${attempt}`),
    ...('cleanup' in state && state.cleanup === 'kept' ? [`${id}.${state.attempt}`] : []),
  ]);
  const expected = { ids: tasks.map(({ id }) => id), keptTokens: new Set(kept) };
  let left: string[] = [];
  const gone = async (): Promise<boolean> => {
    left = await leftovers(scene, expected);
    return left.length === 0;
  };
  await until(gone, undefined, 10_000).catch(() => {});
  return left;
}

function ledgerOf({ ledger }: Scene): string[] {
  if (!existsSync(ledger.file)) return [];
  return readFileSync(ledger.file, 'utf8').split('\n').slice(0, -1);
}

function whereItStands({ id, state }: StoredTask): string {
  const blocked = 'blocked' in state && state.blocked !== undefined ? state.blocked : undefined;
  const why = blocked === undefined ? '' : `: ${blocked.reason} ${blocked.message}`;
  return `${id}.${state.attempt} is still ${state.kind}${why}`;
}

/** Lines of the daemon's log that tell of a bug. */
function bugsIn(log: string): string[] {
  return log
    .split('\n')
    .filter((line) => /INTERNAL|"level":(60|"fatal")|Error: .*\n\s+at /.test(line));
}
