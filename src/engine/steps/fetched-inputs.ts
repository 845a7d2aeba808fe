/** Inputs of a storage are brought to this machine first; there they are files like others, until they have been sent on. */
import { mkdir, rm } from 'node:fs/promises';
import { AppError } from '../../domain/failure.ts';
import type { AttemptToken, Input, InputSource } from '../../domain/task.ts';
import { between } from '../../fault.ts';
import { withoutSecrets } from '../storage/storage.ts';
import type { StorageFor } from '../storage/storages.ts';
import { inputPath } from './work-files.ts';

type UrlSource = Extract<InputSource, { kind: 'url' }>;

type OtherSource = Exclude<InputSource, UrlSource>;

export interface Fetched extends AsyncDisposable {
  inputs: { source: OtherSource; target: string }[];
}

interface FetchJob {
  storageFor: StorageFor;
  token: AttemptToken;
  directory: string | undefined;
  signal: AbortSignal;
}

/**
 * Fetches those that are addresses, one after the other, and gives all with paths in their place.
 * @throws STORAGE_UNSUPPORTED STORAGE_FETCH_FAILED STAGE_LIMIT
 */
export async function fetchInputs(inputs: readonly Input[], job: FetchJob): Promise<Fetched> {
  const made: string[] = [];
  const remove = async (): Promise<void> => {
    for (const path of made) await rm(path, { force: true, recursive: true });
  };
  const fetched: Fetched['inputs'] = [];
  try {
    for (const [index, { source, target }] of inputs.entries()) {
      if (source.kind !== 'url') fetched.push({ source, target });
      else {
        const path = inputPath(job.directory ?? '', job.token, index);
        made.push(path);
        fetched.push({ source: await fetchOne(job, source, path), target });
      }
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { inputs: fetched, [Symbol.asyncDispose]: remove };
}

async function fetchOne(
  { storageFor, directory, signal }: FetchJob,
  { url, directory: isDirectory }: UrlSource,
  path: string,
): Promise<OtherSource> {
  const storage = storageFor(url);
  const fetch = isDirectory ? storage.fetchDirectory : storage.fetch;
  if (fetch === undefined || directory === undefined) {
    const why = `input ${withoutSecrets(url)}: a directory cannot be had from there`;
    throw new AppError('STORAGE_UNSUPPORTED', why, { context: {} });
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // of a daemon that was killed
  await rm(path, { force: true, recursive: true });
  await between('input.fetch', () => fetch(url, path, { signal }));
  return { kind: isDirectory ? 'directory' : 'file', path };
}
