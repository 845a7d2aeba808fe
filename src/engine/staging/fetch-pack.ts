/**
 * Fetches many small files of a host as one stream of their bytes. The host is not believed: names and places are ours,
 * sizes and hashes are known beforehand, and only what fits them is delivered. Whatever does not come that way
 * is left to the way of single files, which tells what is wrong with it.
 */
import { AppError, toAppError } from '../../domain/failure.ts';
import { between } from '../../fault.ts';
import type { Seat } from '../seats.ts';
import { createCutter } from './cut-stream.ts';
import type { Delivery } from './deliver.ts';
import { type Batch, openBatch, undelivered } from './deliver-many.ts';
import { streamFiles } from './stream-files.ts';

/** Above this a round trip costs less than the bytes. */
export const SMALL_BYTES = 256 * 1024;
/** Fewer are fetched as fast one by one. */
const FEWEST = 8;
const PACK_BYTES = 8 * 1024 * 1024;
const PACK_FILES = 1_000;
/** Groups of files that are being written while the next ones come, and what is held meanwhile. */
const AHEAD = 2;
const HELD_BYTES = 4 * 1024 * 1024;

export interface SmallFile extends Delivery {
  /** Path on the host. */
  remote: string;
  size: number;
}

/** Files that may come together, in packs, and those that have to come one by one. */
export function inPacks<T extends Pick<SmallFile, 'size'>>(
  files: readonly T[],
): { packs: T[][]; singles: T[] } {
  const small = files.filter(({ size }) => size <= SMALL_BYTES);
  if (small.length < FEWEST) return { packs: [], singles: [...files] };
  const packs: T[][] = [];
  let room = 0;
  let pack: T[] = [];
  for (const file of small) {
    if (packs.length === 0 || file.size > room || pack.length >= PACK_FILES) {
      pack = [];
      packs.push(pack);
      room = PACK_BYTES;
    }
    pack.push(file);
    room -= file.size;
  }
  return { packs, singles: files.filter(({ size }) => size > SMALL_BYTES) };
}

interface FetchJob<T extends SmallFile> {
  seat: Seat;
  purpose: string;
  signal: AbortSignal;
  /** It is here, if not by its name yet. */
  onFile: (file: T) => void;
}

/**
 * Delivers the files of a pack; gives what was wrong with it if some have to be fetched one by one.
 * @throws OUTPUT_EXISTS OUTPUT_LOCAL_WRITE OUTPUT_LOCAL_FULL SSH_* HOST_COMMAND_TIMEOUT
 */
export async function fetchPack<T extends SmallFile>(
  job: FetchJob<T>,
  pack: readonly T[],
): Promise<AppError | undefined> {
  const files = await undelivered(pack);
  const there = new Set(pack);
  for (const file of files) there.delete(file);
  for (const file of there) job.onFile(file);
  if (files.length === 0) return undefined;
  const batch = openBatch();
  try {
    const wrong = await between('output.fetch', () => receive(job, files, batch));
    // Also when something went wrong: what has come whole need not come again.
    const other = await batch.publish().catch((error: unknown) => {
      throw wrong ?? error;
    });
    if (wrong === undefined && other !== undefined)
      return notAsListed('what came is not what is on the host', other.delivery.local);
    if (wrong === undefined || LEFT_TO_SINGLES.has(wrong.code)) return wrong;
    throw wrong;
  } finally {
    await batch.drop();
  }
}

/** What is wrong with one stream, not with the host. */
const LEFT_TO_SINGLES: ReadonlySet<string> = new Set([
  'OUTPUT_CHECKSUM_MISMATCH',
  'SSH_CHANNEL_REFUSED',
  'HOST_REPLY_INVALID',
  'HOST_TOOL_MISSING',
]);

/** Puts what comes whole into the batch; gives why the rest did not come. @throws OUTPUT_LOCAL_* and when it is given up */
async function receive<T extends SmallFile>(
  job: FetchJob<T>,
  files: readonly T[],
  batch: Batch,
): Promise<AppError | undefined> {
  const cutter = createCutter(files);
  const writing: Promise<void>[] = [];
  let busy = 0;
  const write = (): void => {
    const whole = cutter.take();
    if (whole === undefined) return;
    busy += 1;
    const one = batch.put(whole).finally(() => (busy -= 1));
    // its failure is met when its turn comes
    const told = one.then(() => whole.files.forEach(job.onFile));
    told.catch(() => {});
    writing.push(told);
  };
  let wrong: AppError | undefined;
  try {
    const paths = files.map(({ remote }) => remote);
    for await (const chunk of streamFiles({ ...job, broken: notAsListed }, paths)) {
      if (!cutter.add(chunk)) throw notAsListed('more bytes came than were listed');
      if (busy >= AHEAD && cutter.held < HELD_BYTES) continue;
      while (busy >= AHEAD) await writing.shift();
      write();
    }
  } catch (error) {
    job.signal.throwIfAborted();
    wrong = toAppError(error);
  }
  write();
  // a disk that takes no more counts for more than what the host did meanwhile
  for (const one of writing) await one;
  if (wrong?.code.startsWith('OUTPUT_LOCAL')) throw wrong;
  const [missing] = cutter.left;
  return missing === undefined
    ? wrong
    : (wrong ?? notAsListed(`it ended before ${missing.remote}`));
}

function notAsListed(why: string, path?: string): AppError {
  const context = path === undefined ? {} : { path };
  return new AppError('OUTPUT_CHECKSUM_MISMATCH', `outputs as one stream: ${why}`, { context });
}
