/**
 * Fetches the declared outputs: expands them from directory listings, has the host hash them, fetches
 * to temporary names, compares, delivers. Missing outputs of a command that failed are no failure
 * of their own; its exit code says it all.
 */
import { posix } from 'node:path';
import pRetry from 'p-retry';
import { judgeExit } from '../../domain/conclude.ts';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { CollectedOutput, KeptOutputs } from '../../domain/state.ts';
import {
  type AttemptToken,
  attemptToken,
  type Output,
  type Task,
  type TaskId,
} from '../../domain/task.ts';
import type { DirectoryEntry } from '../../remote/host.ts';
import { hashFilesText, parseHashFiles } from '../../script/objects.ts';
import type { Step } from '../dispatcher.ts';
import { lookAgain, patienceMs } from '../late-files.ts';
import type { Logger } from '../logger.ts';
import type { Seat, Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import type { EngineSettings } from '../settings.ts';
import { refuseUnsettled } from '../settled.ts';
import { sleep } from '../sleep.ts';
import { deliver, makeDirectory, removeParts } from '../staging/deliver.ts';
import { MAX_FILES, type MatchedFile, matchOutput } from '../staging/match-outputs.ts';
import { together } from '../together.ts';
import { keepOutputs } from './keep-outputs.ts';

const HASHES_A_RUN = 1000;

interface CollectDeps {
  seats: Seats;
  daemonId: string;
  nonce: () => string;
  settings: () => EngineSettings;
  log: Logger;
  onProgress: (task: TaskId, progress: Progress) => void;
  /** Between two looks at what is late. */
  pause?: typeof sleep;
}

interface CollectJob {
  deps: CollectDeps;
  task: Task;
  seat: Seat;
  token: AttemptToken;
  root: string;
  workDir: string;
  daemonId: string;
  nonce: string;
  signal: AbortSignal;
}

type List = (path: string) => Promise<DirectoryEntry[]>;

interface Collected {
  outputs: CollectedOutput[];
  kept: KeptOutputs | undefined;
}

interface Wanted extends MatchedFile {
  output: Output;
}

interface Hashed extends Wanted {
  /** Path on the host. */
  remote: string;
  sha256: string;
}

export function createStageOut(deps: CollectDeps): Step {
  return async ({ task, attempt, signal }) => {
    if (task.state.kind !== 'collecting') throw new Error(`collecting while ${task.state.kind}`);
    const seat = deps.seats.get(task.state.host);
    const token = attemptToken(task.id, attempt);
    const { root } = task.state.launch;
    const workDir = `${seat.attemptDir(root, token)}/work`;
    const { daemonId } = deps;
    const job = { deps, task, seat, token, root, workDir, daemonId, nonce: deps.nonce(), signal };
    await refuseUnsettled({ seat, token, launch: task.state.launch, workDir, signal });
    const failed = judgeExit(task, task.state.exit) !== undefined;
    const { pause = sleep } = deps;
    const patience = { patienceMs: patienceMs(seat.knownFacts()?.rootFsType), pause, signal };
    const collected = await lookAgain(patience, () => collect(job, failed), isAppError);
    if (isAppError(collected)) throw collected;
    return { kind: 'collected', attempt, ...collected };
  };
}

/** Fetches all, or gives what may only be late: a name that is not there. */
async function collect(job: CollectJob, failed: boolean): Promise<Collected | AppError> {
  try {
    const list = listOnce(job);
    const wanted = await findAll(job, list, failed);
    const passOver = (names: string[]): void => tellPassedOver(job, names);
    const kept = failed ? undefined : await keepOutputs({ ...job, list, passOver });
    return { outputs: await fetchAll(job, wanted), kept };
  } catch (error) {
    // What is tried again begins anew; what is not must leave nothing half behind.
    await removeParts(job.token, job.task.spec.outputs);
    if (isAppError(error) && error.code === 'OUTPUT_MISSING') return error;
    throw error;
  }
}

async function findAll(job: CollectJob, list: List, commandFailed: boolean): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (const output of job.task.spec.outputs) {
    const matched = await matchOutput(output, list);
    if (matched === undefined) {
      if (commandFailed) continue;
      throw new AppError(
        'OUTPUT_MISSING',
        `output ${output.pattern} of task ${job.task.id} was not produced`,
        {
          context: { task: job.task.id, host: job.seat.name, workDir: job.workDir },
        },
      );
    }
    refuseTooMuch(job, wanted, matched.files);
    for (const directory of matched.directories) await makeDirectory(directory, output.local);
    if (matched.passedOver.length > 0) tellPassedOver(job, matched.passedOver);
    for (const file of matched.files) wanted.push({ ...file, output });
  }
  return withoutTwins(wanted);
}

function tellPassedOver({ deps, task }: CollectJob, names: readonly string[]): void {
  const passedOver = names.slice(0, 20);
  deps.log.warn({ task: task.id, passedOver }, 'links and special files are not collected');
}

/** What comes from a host must fit here, whatever a task or the host makes of it. */
function refuseTooMuch(
  { task, seat, deps }: CollectJob,
  before: readonly MatchedFile[],
  more: readonly MatchedFile[],
): void {
  const { collectLimitBytes } = deps.settings().defaults;
  const count = before.length + more.length;
  const bytes = [...before, ...more].reduce((sum, file) => sum + file.size, 0);
  if (count <= MAX_FILES && bytes <= collectLimitBytes) return;
  const most = count > MAX_FILES ? `${MAX_FILES} files` : `${collectLimitBytes} bytes`;
  throw new AppError('OUTPUT_LIMIT', `the outputs of task ${task.id} are more than ${most}`, {
    context: { task: task.id, host: seat.name },
  });
}

/** A file that several outputs name is fetched once; two files cannot have one name here. @throws OUTPUT_EXISTS */
function withoutTwins(wanted: Wanted[]): Wanted[] {
  const byName = new Map<string, Wanted>();
  for (const file of wanted) {
    const twin = byName.get(file.local);
    if (twin !== undefined && twin.relative !== file.relative) {
      const both = `${twin.relative} and ${file.relative}`;
      throw new AppError('OUTPUT_EXISTS', `output ${file.local}: both ${both} would go there`, {
        context: { path: file.local },
      });
    }
    if (twin === undefined) byName.set(file.local, file);
  }
  return [...byName.values()];
}

/** Lists below the work directory, each directory once: nothing writes there any more. */
function listOnce({ seat, workDir }: CollectJob): List {
  const listings = new Map<string, Promise<DirectoryEntry[]>>();
  return (path) => {
    const directory = posix.join(workDir, path);
    const listing = listings.get(directory) ?? list(seat, directory, workDir);
    listings.set(directory, listing);
    return listing;
  };
}

/** The work directory itself does not vanish: where it cannot be seen, nothing is said of outputs. */
async function list(seat: Seat, directory: string, workDir: string): Promise<DirectoryEntry[]> {
  try {
    return await seat.host.list(directory);
  } catch (error) {
    if (!isAppError(error) || error.code !== 'SFTP_NOT_FOUND') throw error;
    if (posix.relative(workDir, directory) !== '') throw error;
    const why = `the work directory ${directory} on ${seat.name} is not there just now`;
    throw new AppError('HOST_ROOT_UNAVAILABLE', why, { context: { host: seat.name } });
  }
}

async function fetchAll(job: CollectJob, wanted: Wanted[]): Promise<CollectedOutput[]> {
  if (wanted.length === 0) return [];
  const files = wanted.map((file) => ({ ...file, remote: posix.join(job.workDir, file.relative) }));
  const hashes = await hashAll(
    job,
    files.map((file) => file.remote),
  );
  const bytesTotal = wanted.reduce((sum, file) => sum + file.size, 0);
  let fetched = 0;
  const hashed = files.map((file, index) => ({ ...file, sha256: hashes[index] ?? '' }));
  const fetch = async (file: Hashed, signal: AbortSignal): Promise<CollectedOutput> => {
    signal.throwIfAborted();
    const onProgress = (bytes: number): void =>
      job.deps.onProgress(job.task.id, {
        step: 'collect',
        what: file.relative,
        bytesDone: fetched + bytes,
        bytesTotal,
      });
    await fetchOne({ ...job, signal }, file, onProgress);
    fetched += file.size;
    const { remote, local, size: bytes, sha256 } = file;
    return { pattern: file.output.pattern, remote, local, bytes, sha256 };
  };
  return together(hashed, job.signal, (file, signal) =>
    job.seat.transfers.add(() => fetch(file, signal)),
  );
}

/** In parts: what a host answers at once is bounded. */
async function hashAll({ seat, token, signal }: CollectJob, paths: string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (let from = 0; from < paths.length; from += HASHES_A_RUN) {
    const part = paths.slice(from, from + HASHES_A_RUN);
    const reply = await seat.host.run(hashFilesText(part), {
      purpose: `hashing the outputs of ${token}`,
      lane: 'slow',
      deadlineMs: 3_600_000,
      signal,
    });
    hashes.push(...parseHashFiles(reply.output, { host: seat.name, count: part.length }));
  }
  return hashes;
}

async function fetchOne(
  job: CollectJob,
  file: Hashed,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const { signal, token } = job;
  const { local, mode, sha256, remote, output } = file;
  const { overwrite, local: base } = output;
  const delivery = { local, base, mode, sha256, overwrite, token };
  const once = () =>
    deliver(delivery, (write) =>
      job.seat.host.download({ path: remote, size: file.size }, write, { onProgress, signal }),
    );
  await pRetry(once, {
    retries: 3,
    minTimeout: 100,
    signal,
    shouldRetry: ({ error }) => isAppError(error) && error.code === 'OUTPUT_CHECKSUM_MISMATCH',
  });
}
