/** Has a host hash files of its own, in the order in which they will be fetched, and beside the fetching. */
import type { AttemptToken } from '../../domain/task.ts';
import { hashFilesText, parseHashFiles } from '../../script/objects.ts';
import type { Seat } from '../seats.ts';

/** What a host answers at once is bounded; a large file is not waited for by the small ones. */
const FILES_A_RUN = 1_000;
const BYTES_A_RUN = 64 * 1024 * 1024;
const DEADLINE_MS = 3_600_000;

interface HashJob {
  seat: Seat;
  token: AttemptToken;
  signal: AbortSignal;
}

interface RemoteFile {
  remote: string;
  size: number;
}

/** Each with a promise of its sha256; a failure is met by whoever waits for one. */
export function withHashes<T extends RemoteFile>(
  job: HashJob,
  files: readonly T[],
): (T & { sha256: Promise<string> })[] {
  return runsOf(files).flatMap((run) => {
    const sums = hashRun(job, run);
    return run.map((file, index) => {
      const sha256 = sums.then((all) => all[index] ?? '');
      sha256.catch(() => {});
      return { ...file, sha256 };
    });
  });
}

function runsOf<T extends RemoteFile>(files: readonly T[]): T[][] {
  const runs: T[][] = [];
  let room = 0;
  for (const file of files) {
    if (file.size > room || (runs.at(-1)?.length ?? FILES_A_RUN) >= FILES_A_RUN) {
      runs.push([]);
      room = BYTES_A_RUN;
    }
    runs.at(-1)?.push(file);
    room -= file.size;
  }
  return runs;
}

async function hashRun({ seat, token, signal }: HashJob, run: RemoteFile[]): Promise<string[]> {
  const reply = await seat.host.run(hashFilesText(run.map(({ remote }) => remote)), {
    purpose: `hashing the outputs of ${token}`,
    lane: 'slow',
    deadlineMs: DEADLINE_MS,
    signal,
  });
  return parseHashFiles(reply.output, { host: seat.name, count: run.length });
}
