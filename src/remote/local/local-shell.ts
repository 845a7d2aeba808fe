/** A child `/bin/sh` as the shell of a control shell. */
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import type { HostCounters } from '../host.ts';
import type { ShellPort } from '../shell/control-shell.ts';

/** Starts the shell in a process group of its own, in the home directory as a login would. */
export async function openLocalShell(counters: HostCounters): Promise<ShellPort> {
  const child = spawn('/bin/sh', [], {
    cwd: homedir(),
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  counters.channels += 1;
  // A shell that was killed breaks the pipe; its end is told by `close`.
  child.stdin.on('error', () => {});
  child.on('error', () => {});
  return {
    write: (text) => {
      counters.bytesSent += Buffer.byteLength(text);
      child.stdin.write(text);
    },
    abandon: () => {
      child.stdin.destroy();
      hangUp(child.pid);
    },
    onData: (listener) =>
      child.stdout.on('data', (chunk: Buffer) => {
        counters.bytesReceived += chunk.length;
        listener(chunk);
      }),
    // Not `close`: a process left in the background may hold the pipe for long after the shell.
    onEnd: (listener) => child.once('exit', () => setImmediate(listener)),
  };
}

function hangUp(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGHUP');
  } catch {
    // It has ended already.
  }
}
