/**
 * From the start of a daemon to ready with ten thousand unfinished tasks in its database, against one
 * with none. Each round has a copy of the same state directory.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { fillWithTasks, manyTasksConfig } from '../../test/support/many-tasks.ts';
import { median, type Scenario, type Way } from './compare.ts';
import type { Size, Sized } from './size.ts';

const TASKS: Sized<number> = { whole: 10_000, short: 100 };
/** What a daemon does first is over by then. */
const SETTLED_MS = 3_000;

export async function openManyTasks(size: Size): Promise<Scenario> {
  const tasks = TASKS[size];
  const dir = mkdtempSync(join(tmpdir(), 'towline-bench-'));
  const filled = join(dir, 'filled');
  const empty = join(dir, 'empty');
  await fillWithTasks(filled, tasks);
  await fillWithTasks(empty, 0);
  const resident = { filled: [] as number[], empty: [] as number[] };

  const way = (label: string, state: string, sizes: number[]): Way => ({
    label,
    async run() {
      await using daemon = daemonOn(state);
      await daemon.start();
      sizes.push(residentMegabytes(daemon));
    },
  });
  return {
    ours: way(`start with ${tasks} unfinished tasks`, filled, resident.filled),
    theirs: way('start with none', empty, resident.empty),
    async parts() {
      await using daemon = daemonOn(filled);
      await daemon.start();
      await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
      return {
        'resident when ready (median)': `${median(resident.filled).toFixed(0)} MB (none: ${median(resident.empty).toFixed(0)} MB)`,
        [`resident ${SETTLED_MS / 1000} s later`]: `${residentMegabytes(daemon).toFixed(0)} MB`,
      };
    },
    async [Symbol.asyncDispose]() {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function daemonOn(state: string): TestDaemon {
  const daemon = makeDaemon({ more: manyTasksConfig() });
  cpSync(state, daemon.stateDir, { recursive: true });
  return daemon;
}

function residentMegabytes(daemon: TestDaemon): number {
  const status = readFileSync(`/proc/${daemon.pid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
