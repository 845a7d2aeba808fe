/**
 * Which remote files a declared output means. Globs are expanded here, from directory listings, never
 * by a remote shell. What comes from the host is hostile: links are not followed, names that could
 * leave the local directory are refused, count and depth are limited.
 */
import { posix } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import { globBase, hasGlob } from '../../domain/globs.ts';
import { LIST_ENTRIES_MAX } from '../../domain/limits.ts';
import { shown } from '../../domain/shown.ts';
import type { LocalOutput } from '../../domain/task.ts';
import type { DirectoryEntry } from '../../remote/host.ts';

export interface MatchedFile {
  /** Path below the work directory. */
  relative: string;
  local: string;
  size: number;
  mode: number;
}

export interface Matched {
  files: MatchedFile[];
  /** Local directories to be made, empty ones included. */
  directories: string[];
  /** Links and special files that a glob or a tree passed over. */
  passedOver: string[];
}

type List = (path: string) => Promise<DirectoryEntry[]>;

/** Files a task may bring back, directories too, and names that are looked at for one output. */
export const MAX_FILES = 20_000;
const MAX_NAMES = LIST_ENTRIES_MAX;
const MAX_DEPTH = 64;
/** Directories that are listed at once, so that a tree costs few round trips one after the other. */
const LISTED_AHEAD = 8;

/** Files of one output; undefined when nothing is there. @throws OUTPUT_UNSAFE OUTPUT_LIMIT SFTP_* SSH_* */
export async function matchOutput(output: LocalOutput, list: List): Promise<Matched | undefined> {
  const pattern = posix.normalize(output.pattern).replace(/\/$/, '');
  return hasGlob(pattern) ? matchGlob(pattern, output, list) : matchPath(pattern, output, list);
}

/** The same for a path that is meant as it stands, whatever characters are in it. */
export async function matchPath(
  path: string,
  output: LocalOutput,
  list: List,
): Promise<Matched | undefined> {
  const matched: Matched = { files: [], directories: [], passedOver: [] };
  if (path === '.') {
    await walk({
      at: '',
      depth: 0,
      list,
      visit: (file) => collect(matched, file, posix.join(output.local, file.path)),
    });
    matched.directories.push(output.local);
    return matched;
  }
  const entry = await entryAt(path, list);
  if (entry === undefined) return undefined;
  if (entry.kind === 'directory') {
    matched.directories.push(output.local);
    const visit = (file: Visited): void =>
      collect(matched, file, posix.join(output.local, posix.relative(path, file.path)));
    await walk({ at: path, depth: 0, list, visit });
    return matched;
  }
  if (entry.kind !== 'file') throw unsafe(path, `it is a ${entry.kind}, not a regular file`);
  const local = output.local.endsWith('/') ? posix.join(output.local, entry.name) : output.local;
  matched.files.push({ relative: path, local, size: entry.size, mode: entry.mode });
  return matched;
}

async function matchGlob(
  pattern: string,
  output: LocalOutput,
  list: List,
): Promise<Matched | undefined> {
  const matched: Matched = { files: [], directories: [], passedOver: [] };
  const base = globBase(pattern);
  if (base !== '.') {
    const root = await entryAt(base, list);
    if (root === undefined) return undefined;
    if (root.kind === 'file') return undefined;
    if (root.kind !== 'directory') throw notDirectory(pattern, base, root);
  }
  const named = namedFrom(output, base);
  const visit = (file: Visited): void => {
    if (file.entry.kind === 'directory' || !posix.matchesGlob(file.path, pattern)) return;
    collect(matched, file, posix.join(output.local, named(file.path)));
  };
  await walk({ at: base, depth: 0, levels: globLevels(pattern, base), list, visit });
  return matched.files.length === 0 ? undefined : matched;
}

/** A prefix that is not one of a path leaves what the pattern itself leaves. */
function namedFrom({ prefix }: LocalOutput, base: string): (path: string) => string {
  return (path) => {
    if (prefix === undefined || !path.startsWith(prefix)) return posix.relative(base, path);
    return path.slice(prefix.length).replace(/^\/+/, '') || posix.basename(path);
  };
}

/** What stands at a path, reached through directories only: a link on the way could lead anywhere. */
async function entryAt(path: string, list: List): Promise<DirectoryEntry | undefined> {
  const names = path.split('/');
  let parent = '.';
  for (const [index, name] of names.entries()) {
    const entry = (await listOrNothing(list, parent)).find((candidate) => candidate.name === name);
    if (entry === undefined || index === names.length - 1) return entry;
    parent = posix.join(parent, name);
    if (entry.kind === 'file') return undefined;
    if (entry.kind !== 'directory') throw notDirectory(path, parent, entry);
  }
  return undefined;
}

/** How many levels of names below its base a glob can match: what is deeper is not listed. */
function globLevels(pattern: string, base: string): number {
  if (pattern.includes('**')) return Number.POSITIVE_INFINITY;
  return pattern.split('/').length - (base === '.' ? 0 : base.split('/').length);
}

interface Visited {
  path: string;
  entry: DirectoryEntry;
}

function collect(matched: Matched, { path, entry }: Visited, local: string): void {
  if (entry.kind === 'directory') {
    if (matched.directories.length >= MAX_FILES)
      throw tooMany(path, `there are more than ${MAX_FILES} directories`);
    matched.directories.push(local);
  } else if (entry.kind === 'file') {
    if (matched.files.length >= MAX_FILES)
      throw tooMany(path, `there are more than ${MAX_FILES} files`);
    matched.files.push({ relative: path, local, size: entry.size, mode: entry.mode });
  } else matched.passedOver.push(path);
}

async function walk(tree: {
  at: string;
  depth: number;
  levels?: number;
  list: List;
  visit: (visited: Visited) => void;
  /** Names that were seen in the whole walk. */
  seen?: { names: number };
  /** What is in it, if somebody has asked already. */
  entries?: Promise<DirectoryEntry[]> | undefined;
}): Promise<void> {
  const { at, depth, levels = Number.POSITIVE_INFINITY, list, visit, seen = { names: 0 } } = tree;
  if (depth > MAX_DEPTH) throw unsafe(at, `it is nested more than ${MAX_DEPTH} deep`);
  const found: Visited[] = [];
  for (const entry of await (tree.entries ?? listOrNothing(list, at))) {
    found.push({ path: posix.join(at, safeName(entry.name, at)), entry });
    seen.names += 1;
    if (seen.names > MAX_NAMES) throw tooMany(at, `there are more than ${MAX_NAMES} names`);
  }
  const isWalked = ({ entry }: Visited): boolean =>
    entry.kind === 'directory' && depth + 1 < levels;
  const entriesOf = listAhead(found.filter(isWalked), list);
  for (const one of found) {
    visit(one);
    if (isWalked(one))
      await walk({ ...tree, at: one.path, depth: depth + 1, seen, entries: entriesOf() });
  }
}

/** Gives what is in each of the directories, one after the other; some are listed ahead of being asked for. */
function listAhead(
  directories: Visited[],
  list: List,
): () => Promise<DirectoryEntry[]> | undefined {
  const ahead: Promise<DirectoryEntry[]>[] = [];
  let next = 0;
  return () => {
    for (; next < directories.length && ahead.length < LISTED_AHEAD; next += 1) {
      const listing = listOrNothing(list, directories[next]?.path ?? '');
      // its failure is met when its turn comes, or never
      listing.catch(() => {});
      ahead.push(listing);
    }
    return ahead.shift();
  };
}

async function listOrNothing(list: List, path: string): Promise<DirectoryEntry[]> {
  try {
    return await list(path);
  } catch (error) {
    if (error instanceof AppError && error.code === 'SFTP_NOT_FOUND') return [];
    throw error;
  }
}

function safeName(name: string, directory: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\p{Cc}\u2028\u2029]/u.test(name)) {
    throw unsafe(posix.join(directory, shown(name)), 'its name is not let in');
  }
  return name;
}

function notDirectory(path: string, parent: string, { kind }: DirectoryEntry): AppError {
  return unsafe(path, `${parent} is a ${kind}, not a directory`);
}

function tooMany(path: string, why: string): AppError {
  return new AppError('OUTPUT_LIMIT', `output ${path} is refused: ${why}`, { context: { path } });
}

function unsafe(path: string, why: string): AppError {
  return new AppError('OUTPUT_UNSAFE', `output ${path} is refused: ${why}`, { context: { path } });
}
