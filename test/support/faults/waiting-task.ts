/** A task that prints, waits for the test, prints again and ends; looked at without a CLI, which would cost a process each time. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BedHost, MINI, onHost } from '../bed.ts';
import type { TestDaemon } from '../daemon.ts';
import { until } from '../until.ts';

export interface WaitingTask {
  readonly id: string;
  /** Lets it print its last line and end. */
  go(): Promise<void>;
}

const PAYLOAD = 'echo first; while [ ! -e go ]; do sleep 0.1; done; echo last';

/** What it has printed in the end. */
export const WAITING_OUTPUT = 'first\nlast\n';

/** Resolves when it runs and its first line is here. */
export async function submitWaiting(
  daemon: TestDaemon,
  on: BedHost,
  ...options: string[]
): Promise<WaitingTask> {
  const id = await daemon.submit(
    '--cleanup',
    'always',
    ...options,
    MINI,
    '--',
    'sh',
    '-c',
    PAYLOAD,
  );
  const stdout = join(daemon.stateDir, 'spool', `${id}.1`, 'stdout');
  await until(() => existsSync(stdout) && readFileSync(stdout, 'utf8') === 'first\n');
  const { remoteDir } = await daemon.show(id);
  return { id, go: async () => void (await onHost(on, 'touch', `${remoteDir}/work/go`)) };
}
