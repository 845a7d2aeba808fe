/** What a daemon holds, here and on its host: each figure as the kernel or the file system counts it. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDaemon } from '../daemon.ts';
import type { SpareHost } from '../faults/spare-host.ts';
import { memoryNow } from '../memory.ts';

export interface Held {
  /** Resident memory of the daemon. */
  residentBytes: number;
  /** Files, sockets and other handles that it has open. */
  handles: number;
  /** Its threads. */
  threads: number;
  /** All of the user on the host: of links, shells and tasks. */
  remoteProcesses: number;
  /** Below the remote root. */
  remoteDirectories: number;
  /** Database, streams and whatever else is in the state directory. */
  storeBytes: number;
}

const REMOTE = 'ps -o pid= -u alice | wc -l; find "$1" -mindepth 1 -type d | wc -l';

export async function lookAt(daemon: TestDaemon, host: SpareHost): Promise<Held> {
  const pid = daemon.pid();
  const remote = await host.sh(REMOTE, daemon.root);
  const [remoteProcesses = Number.NaN, remoteDirectories = Number.NaN] = remote
    .split('\n')
    .map(Number);
  return {
    residentBytes: memoryNow(pid),
    handles: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    remoteProcesses,
    remoteDirectories,
    storeBytes: bytesBelow(daemon.stateDir),
  };
}

/** What is removed in between counts nothing. */
function bytesBelow(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const sizes = names.map((name) => lstatSync(join(directory, name), { throwIfNoEntry: false }));
  return sizes.reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0);
}
