/**
 * Brings a task's inputs to its host: each file is an object of the content store there, sent once
 * per host whatever number of tasks use it, verified by hash before it gets its name.
 */
import { AppError } from '../../domain/failure.ts';
import type { StagedFile, StagedInputs } from '../../domain/state.ts';
import { attemptToken, type Input, type TaskId, type TaskSpec } from '../../domain/task.ts';
import { placeInputs } from '../../script/input-places.ts';
import type { Step } from '../dispatcher.ts';
import type { Ledger } from '../ledger.ts';
import type { Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import { createHashMemory, type HashLocal, type KnownHashes } from '../staging/hash-memory.ts';
import { type LocalEntry, listInputs, type OwnInput } from '../staging/local-inputs.ts';
import type { StorageFor } from '../storage/storages.ts';
import { type Fetched, fetchInputs } from './fetched-inputs.ts';
import { sendMissing } from './send-missing.ts';
import type { ObjectToSend, SendJob } from './send-object.ts';
import { listTaken, type TakenEntry, type TakenInput } from './taken-inputs.ts';

interface StageDeps {
  seats: Seats;
  ledger: Pick<Ledger, 'find'>;
  store: KnownHashes;
  daemonId: string;
  nonce: () => string;
  /** Where inputs of a storage are kept while they are sent on. */
  uploadDir?: string | undefined;
  storageFor: StorageFor;
  onProgress: (task: TaskId, progress: Progress) => void;
}

export function createStageIn(deps: StageDeps): Step {
  const hashLocal = createHashMemory(deps.store);
  return async ({ task, attempt, signal }) => {
    if (task.state.kind !== 'staging') throw new Error(`staging while ${task.state.kind}`);
    const seat = deps.seats.get(task.state.host);
    const facts = await seat.ready();
    const { uploadDir: directory, storageFor } = deps;
    const token = attemptToken(task.id, attempt);
    const fetching = { storageFor, token, directory, signal };
    await using fetched = await fetchInputs(withStdin(task.spec), fetching);
    const { own, taken } = sorted(fetched.inputs);
    const entries = [...(await listInputs(own)), ...(await listTaken(taken, deps.ledger))];
    const objects = await hashEntries(entries, hashLocal);
    const job: SendJob = { deps, seat, facts, signal, report: progressOf(deps, task.id, objects) };
    const inputs = describe(entries, objects, task.spec);
    // What cannot be placed is told now: a launch never gives up by an error of its own.
    placeInputs(inputs.files, task.spec.volumes);
    await sendMissing(job, [...objects.values()]);
    return { kind: 'staged', attempt, inputs };
  };
}

const STDIN_TARGET = '\0stdin';

type Entry = LocalEntry | TakenEntry;

function sorted(inputs: Fetched['inputs']): { own: OwnInput[]; taken: TakenInput[] } {
  const own: OwnInput[] = [];
  const taken: TakenInput[] = [];
  for (const { source, target } of inputs) {
    if (source.kind === 'output') taken.push({ source, target });
    else own.push({ source, target });
  }
  return { own, taken };
}

/** Standard input is one more object, told apart by a target no path can have. */
function withStdin(spec: TaskSpec): Input[] {
  if (spec.stdin === undefined || spec.stdin.kind === 'remote') return spec.inputs;
  return [...spec.inputs, { source: spec.stdin, target: STDIN_TARGET }];
}

async function hashEntries(
  entries: Entry[],
  hashLocal: HashLocal,
): Promise<Map<Entry, ObjectToSend>> {
  const files = entries.filter((entry) => entry.kind === 'file');
  const sums = await hashLocal(files);
  const byEntry = new Map<Entry, ObjectToSend>();
  for (const [index, entry] of files.entries()) {
    const { from, mode, bytes, target } = entry;
    const label = from.kind === 'path' ? from.path : `content of ${target}`;
    byEntry.set(entry, { sha256: sums[index] ?? '', mode, from, bytes, label });
  }
  for (const entry of entries)
    if (entry.kind === 'taken') byEntry.set(entry, { ...entry, from: entry });
  return byEntry;
}

function describe(
  entries: Entry[],
  objects: Map<Entry, ObjectToSend>,
  spec: TaskSpec,
): StagedInputs {
  const files: StagedFile[] = [];
  let stdin: StagedInputs['stdin'];
  for (const entry of entries) {
    const object = objects.get(entry);
    if (object !== undefined) {
      const { sha256, mode, bytes } = object;
      if (entry.target === STDIN_TARGET) stdin = { sha256, mode };
      else files.push({ kind: 'object', sha256, mode, target: entry.target, bytes });
    } else if (entry.kind === 'directory') files.push({ kind: 'directory', target: entry.target });
    else if (entry.kind === 'remote') {
      files.push({ kind: 'remote', path: entry.path, target: entry.target });
    }
  }
  if (spec.stdin?.kind === 'remote') {
    throw new AppError('TASK_INVALID', 'stdin cannot be a path on the host', { context: {} });
  }
  return { files, stdin };
}

function progressOf(
  deps: StageDeps,
  task: TaskId,
  objects: Map<Entry, ObjectToSend>,
): SendJob['report'] {
  const bytesTotal = [...objects.values()].reduce((sum, object) => sum + object.bytes, 0);
  const done = new Map<string, number>();
  let bytesDone = 0;
  return (object, bytes) => {
    bytesDone += bytes - (done.get(object.sha256) ?? 0);
    done.set(object.sha256, bytes);
    deps.onProgress(task, { step: 'stage', what: object.label, bytesDone, bytesTotal });
  };
}
