/**
 * Fetches the declared outputs: expands them from directory listings, has the host hash them, fetches
 * to temporary names, compares, delivers. Missing outputs of a command that failed are no failure
 * of their own; its exit code says it all.
 */
import { mkdir } from 'node:fs/promises';
import { posix } from 'node:path';
import pRetry from 'p-retry';
import { judgeExit } from '../../domain/conclude.ts';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { CollectedOutput } from '../../domain/state.ts';
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
import type { Logger } from '../logger.ts';
import type { Seat, Seats } from '../seats.ts';
import type { Progress } from '../service.ts';
import { deliver } from '../staging/deliver.ts';
import { type MatchedFile, matchOutput } from '../staging/match-outputs.ts';

interface CollectDeps {
  seats: Seats;
  log: Logger;
  onProgress: (task: TaskId, progress: Progress) => void;
}

interface CollectJob {
  deps: CollectDeps;
  task: Task;
  seat: Seat;
  token: AttemptToken;
  workDir: string;
  signal: AbortSignal;
}

interface Wanted extends MatchedFile {
  output: Output;
}

export function createStageOut(deps: CollectDeps): Step {
  return async ({ task, attempt, signal }) => {
    if (task.state.kind !== 'collecting') throw new Error(`collecting while ${task.state.kind}`);
    const seat = deps.seats.get(task.state.host);
    const token = attemptToken(task.id, attempt);
    const workDir = `${seat.attemptDir(task.state.launch.root, token)}/work`;
    const job: CollectJob = { deps, task, seat, token, workDir, signal };
    const wanted = await findAll(job, judgeExit(task, task.state.exit) !== undefined);
    return { kind: 'collected', attempt, outputs: await fetchAll(job, wanted) };
  };
}

async function findAll(job: CollectJob, commandFailed: boolean): Promise<Wanted[]> {
  const list = listOnce(job);
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
    for (const directory of matched.directories) await mkdir(directory, { recursive: true });
    if (matched.passedOver.length > 0) {
      job.deps.log.warn(
        { task: job.task.id, passedOver: matched.passedOver.slice(0, 20) },
        'links and special files are not collected',
      );
    }
    for (const file of matched.files) wanted.push({ ...file, output });
  }
  return wanted;
}

/** Lists below the work directory, each directory once: nothing writes there any more. */
function listOnce({ seat, workDir }: CollectJob): (path: string) => Promise<DirectoryEntry[]> {
  const listings = new Map<string, Promise<DirectoryEntry[]>>();
  return (path) => {
    const directory = posix.join(workDir, path);
    const listing = listings.get(directory) ?? seat.host.list(directory);
    listings.set(directory, listing);
    return listing;
  };
}

async function fetchAll(job: CollectJob, wanted: Wanted[]): Promise<CollectedOutput[]> {
  if (wanted.length === 0) return [];
  const paths = wanted.map((file) => posix.join(job.workDir, file.relative));
  const reply = await job.seat.host.run(hashFilesText(paths), {
    purpose: `hashing the outputs of ${job.token}`,
    lane: 'slow',
    deadlineMs: 3_600_000,
    signal: job.signal,
  });
  const hashes = parseHashFiles(reply.output, { host: job.seat.name, count: paths.length });
  const bytesTotal = wanted.reduce((sum, file) => sum + file.size, 0);
  let fetched = 0;
  const outputs = wanted.map((file, index) => async (): Promise<CollectedOutput> => {
    const sha256 = hashes[index];
    const remote = paths[index];
    if (sha256 === undefined || remote === undefined) throw new Error('a hash is missing');
    const onProgress = (bytes: number): void =>
      job.deps.onProgress(job.task.id, {
        step: 'collect',
        what: file.relative,
        bytesDone: fetched + bytes,
        bytesTotal,
      });
    await fetchOne(job, { file, sha256, remote, onProgress });
    fetched += file.size;
    return { pattern: file.output.pattern, remote, local: file.local, bytes: file.size, sha256 };
  });
  return Promise.all(outputs.map((fetch) => job.seat.transfers.add(fetch)));
}

async function fetchOne(
  job: CollectJob,
  want: { file: Wanted; sha256: string; remote: string; onProgress: (bytes: number) => void },
): Promise<void> {
  const { file, sha256, remote, onProgress } = want;
  const { signal, token } = job;
  const delivery = {
    local: file.local,
    mode: file.mode,
    sha256,
    overwrite: file.output.overwrite,
    token,
  };
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
