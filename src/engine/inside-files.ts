/** Files of a task that is there, for copies: found by listings, hashed on the host, read in pieces. */
import { posix } from 'node:path';
import { AppError, type ErrorContext, toAppError } from '../domain/failure.ts';
import { attemptToken, type Bind, type LocalOutput, type Task } from '../domain/task.ts';
import { inspectFileText, parseInspectFile } from '../script/inspect-file.ts';
import { homeOf, taskBinds } from '../script/task-script.ts';
import type { ServiceDeps } from './create-service.ts';
import { placeInside } from './inside.ts';
import { ANY_HOST, pathValues, placesOf } from './places.ts';
import { sampleInputs } from './plan.ts';
import type { Seat } from './seats.ts';
import type { FollowOptions, Service } from './service.ts';
import { type HostPath, hostPathOf } from './staging/container-paths.ts';
import { type Matched, matchOutput, matchPath } from './staging/match-outputs.ts';

/** In pieces, so that a slow reader holds no link and no request of the host. */
const PIECE_BYTES = 4 * 1024 * 1024;
const HASH_DEADLINE_MS = 3_600_000;

type InsideFiles = Pick<Service, 'matchFiles' | 'fileContent'>;

export function createInsideFiles({
  ledger,
  seats,
}: Pick<ServiceDeps, 'ledger' | 'seats'>): InsideFiles {
  async function locate(
    id: string,
    path: string,
  ): Promise<{ task: Task; seat: Seat; at: HostPath }> {
    const task = await ledger.find(id);
    const { host, launch } = placeInside(task);
    const seat = seats.get(host);
    const dir = seat.attemptDir(launch.root, attemptToken(task.id, task.state.attempt));
    return { task, seat, at: hostPathOf(bindsOf(task, dir, seat), path) };
  }

  return {
    async matchFiles(id, path) {
      const { task, seat, at } = await locate(id, path);
      const { root, pattern, isFile } = await startOf(seat, at);
      const list = (below: string) => seat.host.list(posix.join(root, below));
      const output: LocalOutput = { pattern, local: '/', overwrite: false };
      const matched = await inContext({ host: seat.name, task: task.id }, async () => {
        const exact = await matchPath(pattern, output, list);
        return exact ?? (isFile ? undefined : await matchOutput(output, list));
      });
      if (matched === undefined) throw notFound(task, path);
      const container = (relative: string): string =>
        isFile ? posix.resolve('/mnt/task/work', path) : containerPath(path, at, relative);
      return {
        single:
          matched.files.length === 1 &&
          matched.directories.length === 0 &&
          isExact(matched, pattern),
        files: matched.files.map((file) => ({
          path: container(file.relative),
          to: file.local.slice(1),
          size: file.size,
        })),
        directories: matched.directories.map((local) => local.slice(1)).filter(Boolean),
        passedOver: matched.passedOver,
      };
    },
    async fileContent(id, path, { signal }) {
      const { task, seat, at } = await locate(id, path);
      const reply = await seat.host.run(inspectFileText(at.root, at.relative), {
        purpose: `looking at a file of task ${task.id}`,
        lane: 'slow',
        deadlineMs: HASH_DEADLINE_MS,
        signal,
      });
      const file = parseInspectFile(reply.output);
      const context = { host: seat.name, task: task.id, path };
      switch (file.kind) {
        case 'file':
          return { ...file, bytes: readPieces(seat, file, { signal }) };
        case 'missing':
          throw notFound(task, path);
        case 'unsafe':
          throw new AppError('OUTPUT_UNSAFE', `${path} is no regular file, or a link leads to it`, {
            context,
          });
        case 'unread':
          throw new AppError('SFTP_DENIED', `${path} of task ${task.id} cannot be read`, {
            context,
          });
      }
    },
  };
}

/** What fails below does not know for whom it was. */
async function inContext<T>(context: ErrorContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw toAppError(error).in(context);
  }
}

function bindsOf(task: Task, dir: string, seat: Seat): Bind[] {
  const { command, volumes } = task.spec;
  const facts = seat.knownFacts();
  const values = facts === undefined ? ANY_HOST : pathValues(facts);
  const { binds, tmpDir } = placesOf(task.spec, values, seat);
  const token = attemptToken(task.id, task.state.attempt);
  const inputs = sampleInputs(task.spec);
  return [
    { source: `${dir}/home`, target: homeOf({ volumes }), readonly: false },
    ...taskBinds({ dir, token, command, binds, tmpDir, inputs, volumes }),
  ];
}

/** Where listing begins: a mount may be of a single file, which is found in its directory. */
async function startOf(
  seat: Seat,
  { root, relative }: HostPath,
): Promise<{ root: string; pattern: string; isFile: boolean }> {
  if (relative !== '') return { root, pattern: relative, isFile: false };
  const [parent, name] = [posix.dirname(root), posix.basename(root)];
  const entry = (await seat.host.list(parent)).find((candidate) => candidate.name === name);
  if (entry?.kind === 'file') return { root: parent, pattern: name, isFile: true };
  return { root, pattern: '.', isFile: false };
}

function isExact({ files }: Matched, pattern: string): boolean {
  return files[0]?.relative === posix.normalize(pattern);
}

/** `relative` is below the mount that `path` lies in. */
function containerPath(path: string, at: HostPath, relative: string): string {
  const wanted = posix.resolve('/mnt/task/work', path);
  const target = at.relative === '' ? wanted : wanted.slice(0, -at.relative.length - 1);
  return posix.join(target, relative);
}

function notFound(task: Task, path: string): AppError {
  return new AppError('COPY_NOT_FOUND', `task ${task.id} has nothing at ${path}`, {
    context: { task: task.id, path },
  });
}

async function* readPieces(
  seat: Seat,
  file: { path: string; size: number },
  { signal }: FollowOptions,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size && !signal.aborted; ) {
    const length = Math.min(PIECE_BYTES, file.size - at);
    const piece = await seat.host.readRange(file.path, at, length);
    if (piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}
