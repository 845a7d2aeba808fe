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
  type LocalOutput,
  type Task,
  type TaskId,
} from '../../domain/task.ts';
import type { DirectoryEntry } from '../../remote/host.ts';
import type { Step } from '../dispatcher.ts';
import { lookAgain, patienceMs } from '../late-files.ts';
import type { Logger } from '../logger.ts';
import type { Seat, Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import type { EngineSettings } from '../settings.ts';
import { refuseUnsettled } from '../settled.ts';
import { sleep } from '../sleep.ts';
import { deliver, makeDirectory, removeParts } from '../staging/deliver.ts';
import { fetchPack, inPacks, type SmallFile } from '../staging/fetch-pack.ts';
import { withHashes } from '../staging/hash-remote.ts';
import { MAX_FILES, type MatchedFile, matchOutput } from '../staging/match-outputs.ts';
import type { StorageFor } from '../storage/storages.ts';
import { together } from '../together.ts';
import { keepOutputs } from './keep-outputs.ts';
import { treeOf } from './output-tree.ts';
import { openLanding } from './stored-outputs.ts';

interface CollectDeps {
  seats: Seats;
  daemonId: string;
  nonce: () => string;
  settings: () => EngineSettings;
  log: Logger;
  onProgress: (task: TaskId, progress: Progress) => void;
  storageFor: StorageFor;
  /** Where outputs for a storage wait for it. */
  uploadDir?: string | undefined;
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
  outputs: readonly LocalOutput[];
}

type List = (path: string) => Promise<DirectoryEntry[]>;
/** Lists below a directory of the attempt. */
type ListIn = (tree: string) => List;

interface Collected {
  outputs: CollectedOutput[];
  kept: KeptOutputs | undefined;
}

interface Wanted extends MatchedFile {
  output: LocalOutput;
  /** The directory on the host that `relative` is below. */
  tree: string;
}

interface Hashed extends Wanted, SmallFile {}

export function createStageOut(deps: CollectDeps): Step {
  return async ({ task, attempt, signal }) => {
    if (task.state.kind !== 'collecting') throw new Error(`collecting while ${task.state.kind}`);
    const seat = deps.seats.get(task.state.host);
    const token = attemptToken(task.id, attempt);
    const { root } = task.state.launch;
    const workDir = `${seat.attemptDir(root, token)}/work`;
    const { daemonId, storageFor, uploadDir: directory } = deps;
    const onPut = (what: string, bytesDone: number): void =>
      deps.onProgress(task.id, { step: 'collect', what, bytesDone });
    const landingJob = { storageFor, token, directory, signal, onPut };
    await using landing = await openLanding(task.spec.outputs, landingJob);
    const { outputs } = landing;
    const place = { seat, token, root, workDir, daemonId, nonce: deps.nonce() };
    const job = { deps, task, ...place, signal, outputs };
    await refuseUnsettled({ seat, token, launch: task.state.launch, workDir, signal });
    const failed = judgeExit(task, task.state.exit) !== undefined;
    const { pause = sleep } = deps;
    const patience = { patienceMs: patienceMs(seat.knownFacts()?.rootFsType), pause, signal };
    const collected = await lookAgain(patience, () => collect(job, failed), isAppError);
    if (isAppError(collected)) throw collected;
    const { kept } = collected;
    return { kind: 'collected', attempt, outputs: await landing.store(collected.outputs), kept };
  };
}

/** Fetches all, or gives what may only be late: a name that is not there. */
async function collect(job: CollectJob, failed: boolean): Promise<Collected | AppError> {
  try {
    const listIn = listOnce(job);
    const list = listIn(job.workDir);
    const wanted = await findAll(job, listIn, failed);
    const passOver = (names: string[]): void => tellPassedOver(job, names);
    const kept = failed ? undefined : await keepOutputs({ ...job, list, passOver });
    return { outputs: await fetchAll(job, wanted), kept };
  } catch (error) {
    // What is tried again begins anew; what is not must leave nothing half behind.
    await removeParts(job.token, job.outputs);
    if (isAppError(error) && error.code === 'OUTPUT_MISSING') return error;
    throw error;
  }
}

async function findAll(job: CollectJob, listIn: ListIn, commandFailed: boolean): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (const output of job.outputs) {
    const { tree, inTree } = treeOf(job.task.spec.volumes ?? [], job.workDir, output);
    const matched = await matchOutput(inTree, listIn(tree));
    if (matched === undefined) {
      if (commandFailed || output.optional === true) continue;
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
    for (const file of matched.files) wanted.push({ ...file, output, tree });
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
    if (twin !== undefined && (twin.relative !== file.relative || twin.tree !== file.tree)) {
      const both = `${twin.relative} and ${file.relative}`;
      throw new AppError('OUTPUT_EXISTS', `output ${file.local}: both ${both} would go there`, {
        context: { path: file.local },
      });
    }
    if (twin === undefined) byName.set(file.local, file);
  }
  return [...byName.values()];
}

/** Lists each directory once: nothing writes there any more. */
function listOnce({ seat }: CollectJob): ListIn {
  const listings = new Map<string, Promise<DirectoryEntry[]>>();
  return (tree) => (path) => {
    const directory = posix.join(tree, path);
    const listing = listings.get(directory) ?? list(seat, directory, tree);
    listings.set(directory, listing);
    return listing;
  };
}

/** The work directory itself does not vanish, nor a volume: where it cannot be seen, nothing is said of outputs. */
async function list(seat: Seat, directory: string, tree: string): Promise<DirectoryEntry[]> {
  try {
    return await seat.host.list(directory);
  } catch (error) {
    if (!isAppError(error) || error.code !== 'SFTP_NOT_FOUND') throw error;
    if (posix.relative(tree, directory) !== '') throw error;
    const why = `the directory ${directory} on ${seat.name} is not there just now`;
    throw new AppError('HOST_ROOT_UNAVAILABLE', why, { context: { host: seat.name } });
  }
}

async function fetchAll(job: CollectJob, wanted: Wanted[]): Promise<CollectedOutput[]> {
  if (wanted.length === 0) return [];
  const { deps, seat, task, token } = job;
  const { packs, singles } = inPacks(
    wanted.map((file) => ({ ...file, remote: posix.join(file.tree, file.relative) })),
  );
  const own = new AbortController();
  const hashing = { ...job, signal: AbortSignal.any([job.signal, own.signal]) };
  const named = <T extends Wanted & { remote: string }>(files: readonly T[]): Hashed[] =>
    withHashes(hashing, files).map((file) => {
      const { local: base, overwrite } = file.output;
      return { ...file, base, overwrite, token };
    });
  const hashedPacks = packs.map(named);
  const hashedSingles = named(singles);
  const bytesTotal = wanted.reduce((sum, file) => sum + file.size, 0);
  let fetched = 0;
  const tell = ({ relative: what }: Hashed, bytes: number): void =>
    deps.onProgress(task.id, { step: 'collect', what, bytesDone: fetched + bytes, bytesTotal });
  const onFile = (file: Hashed): void => {
    fetched += file.size;
    tell(file, 0);
  };
  const fetchSingle = async (file: Hashed, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    await fetchOne({ ...job, signal }, file, (bytes) => tell(file, bytes));
    fetched += file.size;
  };
  const fetchTogether = async (pack: Hashed[], signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    const purpose = `fetching ${pack.length} outputs of ${token}`;
    const before = fetched;
    const wrong = await fetchPack({ seat, purpose, signal, onFile }, pack);
    if (wrong === undefined) return;
    const { code, message } = wrong;
    deps.log.warn({ task: task.id, code }, `${message}; they are fetched one by one`);
    fetched = before;
    for (const file of pack) await fetchSingle(file, signal);
  };
  try {
    await together([...hashedPacks, ...hashedSingles], job.signal, (next, signal) =>
      seat.transfers.add(() =>
        Array.isArray(next) ? fetchTogether(next, signal) : fetchSingle(next, signal),
      ),
    );
    return await told(wanted, [...hashedPacks.flat(), ...hashedSingles]);
  } finally {
    // what nobody waits for any more
    own.abort(new AppError('HOST_CALL_ABORTED', 'the outputs are not fetched any more'));
  }
}

/** In the order in which they were named. */
async function told(wanted: Wanted[], hashed: Hashed[]): Promise<CollectedOutput[]> {
  const sums = new Map(hashed.map((file) => [file.local, file]));
  return Promise.all(
    wanted.map(async ({ output, local, size: bytes }) => {
      const { remote = '', sha256 = '' } = sums.get(local) ?? {};
      return { pattern: output.pattern, remote, local, bytes, sha256: await sha256 };
    }),
  );
}

async function fetchOne(
  job: CollectJob,
  file: Hashed,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const { signal } = job;
  const once = () =>
    deliver(file, (write) =>
      job.seat.host.download({ path: file.remote, size: file.size }, write, { onProgress, signal }),
    );
  await pRetry(once, {
    retries: 3,
    minTimeout: 100,
    signal,
    shouldRetry: ({ error }) => isAppError(error) && error.code === 'OUTPUT_CHECKSUM_MISMATCH',
  });
}
