/** Files of the daemon that no task needs: streams of forgotten tasks, uploads that nobody named, what a storage was to have. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isEnded } from '../domain/state.ts';
import type { AttemptToken, TaskId } from '../domain/task.ts';
import { between } from '../fault.ts';
import { type GcRun, removed } from './gc-run.ts';
import { taskOfWorkFile } from './steps/work-files.ts';

/** An upload waits so long for the task that names it. */
const UNNAMED_KEPT_MS = 24 * 3600 * 1000;

export async function sweepLocal(run: GcRun): Promise<void> {
  await sweepStreams(run);
  await sweepUploads(run);
}

/** A daemon that died while it forgot a task left its streams. A task is stored before it has any. */
async function sweepStreams(run: GcRun): Promise<void> {
  const { spool, store } = run.deps;
  for (const token of await spool.tokens()) {
    const id = token.slice(0, token.lastIndexOf('.')) as TaskId;
    if ((await store.getTask(id)) !== undefined) continue;
    const { stdout, stderr } = await spool.bytes(token).catch(() => ({ stdout: 0, stderr: 0 }));
    if (!run.request.dryRun) await spool.remove(token as AttemptToken);
    await removed(run, [
      { at: run.at, kind: 'streams', what: token, count: 1, bytes: stdout + stderr },
    ]);
  }
}

async function sweepUploads(run: GcRun): Promise<void> {
  const { uploadDir } = run.deps;
  if (uploadDir === undefined) return;
  const names = await readdir(uploadDir).catch(() => [] as string[]);
  let count = 0;
  let bytes = 0;
  for (const name of names) {
    const path = join(uploadDir, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || run.at - info.mtimeMs <= UNNAMED_KEPT_MS) continue;
    if (run.named.has(path) || isInWork(run, name)) continue;
    if (!run.request.dryRun)
      await between('gc.upload', () => rm(path, { force: true, recursive: true }));
    count += 1;
    bytes += info.size;
  }
  if (count === 0) return;
  await removed(run, [{ at: run.at, kind: 'uploads', what: 'no task names them', count, bytes }]);
}

/** It is on its way between a host and a storage, however long that takes. */
function isInWork({ deps }: GcRun, name: string): boolean {
  const id = taskOfWorkFile(name);
  const task = id === undefined ? undefined : deps.ledger.get(id);
  return task !== undefined && !isEnded(task.state);
}
