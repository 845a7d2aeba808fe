/**
 * Outputs that go to a storage are brought to this machine like others, to a directory of their attempt's own, and put
 * where they belong from there. Until that is done the attempt is collecting: after a kill it is done again.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import type { CollectedOutput } from '../../domain/state.ts';
import {
  type AttemptToken,
  isLocalOutput,
  type LocalOutput,
  type Output,
  type StoredOutput,
} from '../../domain/task.ts';
import { between } from '../../fault.ts';
import { atMost } from '../staging/at-most.ts';
import type { StorageFor } from '../storage/storages.ts';
import { outputsPath } from './work-files.ts';

/** Large files are put in several parts at once, too. */
const AT_ONCE = 4;

interface LandingJob {
  storageFor: StorageFor;
  token: AttemptToken;
  directory: string | undefined;
  signal: AbortSignal;
  /** Told of each before it is put: its address, and how much comes before it. */
  onPut: (url: string, bytesDone: number) => void;
}

export interface Landing extends AsyncDisposable {
  /** All outputs of the task, each with a place on this machine. */
  outputs: LocalOutput[];
  /** Puts those brought that belong in a storage there; gives all with where they are then. */
  store(collected: readonly CollectedOutput[]): Promise<CollectedOutput[]>;
}

/** @throws STORAGE_UNSUPPORTED */
export async function openLanding(outputs: readonly Output[], job: LandingJob): Promise<Landing> {
  const { directory, token } = job;
  if (outputs.every(isLocalOutput)) return withoutLanding(outputs);
  if (directory === undefined) {
    const why = 'outputs for a storage have no place to wait for it';
    throw new AppError('STORAGE_UNSUPPORTED', why, { context: {} });
  }
  const landing = outputsPath(directory, token);
  await between('output.landing', () => mkdir(landing, { recursive: true, mode: 0o700 }));
  const addressOf = (path: string): string | undefined => {
    if (!path.startsWith(`${landing}/`)) return undefined;
    const [index = '', ...rest] = path.slice(landing.length + 1).split('/');
    return [outputs[Number(index)]?.url, ...rest].join('/');
  };
  return {
    outputs: outputs.map((output, index) =>
      isLocalOutput(output) ? output : landed(output, join(landing, String(index))),
    ),
    store: (collected) => store(collected, addressOf, job),
    [Symbol.asyncDispose]: () => removeLanding(directory, token),
  };
}

function withoutLanding(outputs: readonly LocalOutput[]): Landing {
  return {
    outputs: [...outputs],
    store: async (collected) => [...collected],
    [Symbol.asyncDispose]: async () => {},
  };
}

/** What is left of it by a daemon that was killed. */
export async function removeLanding(
  directory: string | undefined,
  token: AttemptToken,
): Promise<void> {
  if (directory !== undefined)
    await rm(outputsPath(directory, token), { force: true, recursive: true });
}

function landed(output: StoredOutput, local: string): LocalOutput {
  const { pattern, overwrite, prefix, optional } = output;
  return { pattern, overwrite, prefix, optional, local };
}

async function store(
  collected: readonly CollectedOutput[],
  addressOf: (path: string) => string | undefined,
  job: LandingJob,
): Promise<CollectedOutput[]> {
  const addressed = collected.map((file) => ({ file, url: addressOf(file.local) }));
  refuseTwins(addressed);
  let bytesDone = 0;
  return atMost(AT_ONCE, addressed, async ({ file, url }) => {
    if (url === undefined) return file;
    job.signal.throwIfAborted();
    job.onPut(url, bytesDone);
    await put(file.local, url, job);
    bytesDone += file.bytes;
    return { ...file, local: url };
  });
}

async function put(path: string, url: string, job: LandingJob): Promise<void> {
  const { put: act } = job.storageFor(url);
  if (act === undefined) {
    const why = `output ${url}: nothing can be put there`;
    throw new AppError('STORAGE_UNSUPPORTED', why, { context: {} });
  }
  const { signal } = job;
  await between('output.store', () => act(url, path, { signal }));
}

/** Two files cannot be at one address. */
function refuseTwins(
  addressed: readonly { file: CollectedOutput; url: string | undefined }[],
): void {
  const byUrl = new Map<string, CollectedOutput>();
  for (const { file, url } of addressed) {
    if (url === undefined) continue;
    const twin = byUrl.get(url);
    if (twin !== undefined && twin.sha256 !== file.sha256) {
      const why = `output ${url}: both ${twin.remote} and ${file.remote} would go there`;
      throw new AppError('OUTPUT_EXISTS', why, { context: { path: url } });
    }
    byUrl.set(url, file);
  }
}
