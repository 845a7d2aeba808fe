/** The CLI at the end of a pipe. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPO } from './bed.ts';
import { finished, type Ran, type TestDaemon } from './daemon.ts';

/** Runs the CLI with these bytes on its stdin. */
export function pipedCli(daemon: TestDaemon, stdin: Buffer, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(REPO, 'src/main.ts'), ...args], {
    cwd: daemon.dir,
    env: { ...process.env, TOWLINE_SOCKET: daemon.socket, TOWLINE_CONFIG: daemon.configFile },
  });
  child.stdin.end(stdin);
  return finished(child);
}
