/**
 * `towline cp ID:PATH LOCAL`: files of a task come here under names that we choose, by the user's own
 * umask. What they are called and what they hold was decided far away: a name that would leave the
 * target is refused, a file gets its name only when its size and hash are what the host said.
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import type { Client } from '../../client/client.ts';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { MatchedFilesView } from '../../protocol/views.ts';
import type { Call } from '../call.ts';
import { oneLine, sizeText } from '../output/text.ts';
import { createProgress, type Progress } from './progress.ts';

export interface CopyOut {
  id: string;
  path: string;
  /** `-` is stdout. */
  target: string;
  overwrite: boolean;
}

export interface Copied {
  from: string;
  to: string;
  bytes: number;
  sha256: string;
}

interface Job {
  client: Client;
  id: string;
  overwrite: boolean;
  progress: Progress;
}

/** A file that is written to while it is copied may be whole at the next try. */
const TRIES = 3;
const GLOB = /[*?[{]/;

/** Copies and gives what was copied. @throws COPY_* OUTPUT_UNSAFE OUTPUT_LOCAL_WRITE and others */
export async function copyOut(call: Call, wish: CopyOut): Promise<Copied[]> {
  const { io } = call;
  const client = await call.client();
  const matched = await client.matchFiles(wish.id, wish.path);
  if (wish.target === '-') return [await printFile(call, { ...wish, client }, matched)];
  const progress = createProgress(io.err, total(matched));
  const job: Job = { client, id: wish.id, overwrite: wish.overwrite, progress };
  const place = await placeOf(resolve(io.cwd, wish.target), wish, matched);
  const copied: Copied[] = [];
  try {
    if (!matched.single) await makeDirectory(place);
    for (const directory of matched.directories) await makeDirectory(below(place, directory));
    for (const file of matched.files) {
      const to = matched.single ? place : below(place, file.to);
      copied.push(await copyFile(job, file.path, to));
    }
  } finally {
    progress.erase();
  }
  if (matched.passedOver.length > 0) {
    const names = matched.passedOver
      .slice(0, 10)
      .map((name) => oneLine(JSON.stringify(name)))
      .join(', ');
    const more = matched.passedOver.length > 10 ? ' and more' : '';
    await io.err.write(`towline: links and special files are not copied: ${names}${more}\n`);
  }
  return copied;
}

function total({ files }: MatchedFilesView): string {
  return sizeText(files.reduce((sum, file) => sum + file.size, 0));
}

/** As cp does it: into a directory that is there, else under the name given. */
async function placeOf(
  target: string,
  wish: CopyOut,
  { single }: MatchedFilesView,
): Promise<string> {
  const isGlob = !single && GLOB.test(wish.path);
  if (isGlob) return target;
  const isDirectory = await stat(target).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isDirectory && !(single && wish.target.endsWith('/'))) return target;
  const name = posix.basename(posix.resolve('/mnt/task/work', wish.path));
  return join(target, name === '' ? 'root' : name);
}

/** The daemon has looked at the names already; nothing is lost by looking again. */
function below(place: string, relative: string): string {
  const path = join(place, relative);
  if (!path.startsWith(`${place}/`)) {
    throw new AppError('OUTPUT_UNSAFE', `${JSON.stringify(relative)} would leave ${place}`);
  }
  return path;
}

async function copyFile(job: Job, from: string, to: string): Promise<Copied> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await copyOnce(job, from, to);
    } catch (error) {
      if (left === 1 || !isAppError(error) || error.code !== 'COPY_CHANGED') throw error;
    }
  }
}

async function copyOnce(
  { client, id, overwrite, progress }: Job,
  from: string,
  to: string,
): Promise<Copied> {
  if (!overwrite) await refuseExisting(to);
  const file = await client.fileContent(id, from);
  await makeDirectory(dirname(to));
  const part = join(dirname(to), `.towline-${randomBytes(8).toString('hex')}.part`);
  try {
    const mode = (file.mode & 0o111) === 0 ? 0o666 : 0o777;
    const handle = await onDisk(to, () => open(part, 'wx', mode));
    try {
      await checked(file, from, async (chunk) => {
        await onDisk(to, () => handle.writeFile(chunk));
        progress.add(chunk.length, from);
      });
    } finally {
      await handle.close();
    }
    if (overwrite) await onDisk(to, () => rename(part, to));
    else await nameNew(part, to);
  } finally {
    file.bytes.destroy();
    await rm(part, { force: true });
  }
  return { from, to, bytes: file.size, sha256: file.sha256 };
}

type Content = Awaited<ReturnType<Client['fileContent']>>;

/** Hands over all bytes and then compares. @throws COPY_CHANGED */
async function checked(
  file: Content,
  from: string,
  write: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of file.bytes) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      await write(chunk as Buffer);
    }
  } catch (cause) {
    if (isAppError(cause) || !(cause instanceof Error) || cause.message !== 'aborted') throw cause;
    throw new AppError('COPY_CHANGED', `${from} ended after ${bytes} of ${file.size} bytes`, {
      cause,
    });
  }
  if (bytes === file.size && hash.digest('hex') === file.sha256) return;
  throw new AppError('COPY_CHANGED', `${from} is not what it was when it was hashed on the host`);
}

async function printFile(
  { io }: Call,
  { id, path, client }: CopyOut & { client: Client },
  matched: MatchedFilesView,
): Promise<Copied> {
  const [file] = matched.files;
  if (!matched.single || file === undefined) {
    throw new AppError('USAGE', `${path} is no single file; only one can go to stdout`, {
      context: { command: 'cp' },
    });
  }
  const content = await client.fileContent(id, file.path);
  try {
    await checked(content, file.path, (chunk) => io.out.write(chunk));
  } finally {
    content.bytes.destroy();
  }
  return { from: file.path, to: '-', bytes: content.size, sha256: content.sha256 };
}

async function refuseExisting(path: string): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw exists(path);
}

/** A link never takes the place of a file that came meanwhile. */
async function nameNew(part: string, to: string): Promise<void> {
  try {
    await link(part, to);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw exists(to);
    throw cannotWrite(to, cause as Error);
  }
}

async function makeDirectory(path: string): Promise<void> {
  await onDisk(path, () => mkdir(path, { recursive: true }));
}

async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw cannotWrite(path, cause as Error);
  }
}

function cannotWrite(path: string, cause: Error): AppError {
  return new AppError('OUTPUT_LOCAL_WRITE', `${path} cannot be written: ${cause.message}`, {
    context: { path },
    cause,
  });
}

function exists(path: string): AppError {
  return new AppError('COPY_EXISTS', `${basename(path)}: ${path} is there already`, {
    context: { path },
  });
}
