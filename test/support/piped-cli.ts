/** The CLI at the end of a real pipe: Node gives its children sockets, which no shell does. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPO } from './bed.ts';
import { finished, type Ran, type TestDaemon } from './daemon.ts';

/** Runs `cat FILE | towline ARGS…`. */
export function pipedCli(daemon: TestDaemon, file: string, ...args: string[]): Promise<Ran> {
  const words = [file, process.execPath, join(REPO, 'src/main.ts'), ...args];
  const child = spawn('sh', ['-c', 'cat "$0" | "$@"', ...words], {
    cwd: daemon.dir,
    env: { ...process.env, TOWLINE_SOCKET: daemon.socket, TOWLINE_CONFIG: daemon.configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return finished(child);
}
