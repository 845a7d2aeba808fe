/**
 * A process on this machine as the RemoteProcess of host.ts. A terminal comes from script(1), since
 * Node has none to give: it starts the shell on a fresh one and passes the bytes on.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { constants, homedir } from 'node:os';
import { AppError } from '../../domain/failure.ts';
import type { ProcessOptions, RemoteProcess, TerminalSize } from '../host.ts';
import { watchedElsewhere } from '../settle.ts';
import { startInShell } from '../shell/start-process.ts';

interface Starting {
  script: string;
  options: ProcessOptions;
  host: string;
}

/** @throws HOST_TOOL_MISSING for a terminal without script(1), and as openProcess */
export async function startLocalProcess(starting: Starting): Promise<RemoteProcess> {
  const { options, host } = starting;
  const child = options.tty === undefined ? plainShell() : await terminalShell(options.tty, host);
  const process = localProcess(child, starting);
  try {
    await startInShell(child, starting);
    return process;
  } catch (error) {
    process.close();
    throw error;
  }
}

function plainShell(): ChildProcessWithoutNullStreams {
  return spawn('/bin/sh', [], { cwd: homedir(), detached: true, stdio: 'pipe' });
}

/** -e: with the exit code of the shell; -f: at once. Others than util-linux's do not know them. */
function terminalShell(
  tty: NonNullable<ProcessOptions['tty']>,
  host: string,
): Promise<ChildProcessWithoutNullStreams> {
  return new Promise((resolve, reject) => {
    // The new terminal has no size yet.
    const shell = `${setSize(tty)}; exec /bin/sh`;
    const child = spawn('script', ['-qefc', shell, '/dev/null'], {
      cwd: homedir(),
      detached: true,
      stdio: 'pipe',
      env: { ...process.env, TERM: tty.term, SHELL: '/bin/sh' },
    });
    child.once('spawn', () => resolve(child));
    child.once('error', (cause) => {
      const text = `a terminal on ${host} needs script(1) of util-linux: ${cause.message}`;
      reject(new AppError('HOST_TOOL_MISSING', text, { context: { host }, cause }));
    });
  });
}

function setSize({ columns, rows }: TerminalSize): string {
  return `stty columns ${Math.trunc(columns)} rows ${Math.trunc(rows)}`;
}

function localProcess(
  child: ChildProcessWithoutNullStreams,
  { options, host }: Starting,
): RemoteProcess {
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();
  watchedElsewhere(ended);
  // What has ended reads no more; that is told by its end.
  child.stdin.on('error', () => {});
  child.once('error', reject);
  child.once('close', (code, signal) => {
    resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    resize: (size) => {
      if (options.tty !== undefined) resizeBelow(child.pid as number, size);
    },
    close: () => {
      reject(new AppError('HOST_CALL_ABORTED', `the command on ${host} was let go`));
      hangUp(child.pid);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    },
  };
}

/** The terminal is the one of script's child; the kernel tells those on it about the new size. */
function resizeBelow(pid: number, size: TerminalSize): void {
  const text = `for child in $(cat /proc/${pid}/task/${pid}/children); do ${setSize(size)} <"/proc/$child/fd/0"; done`;
  execFile('/bin/sh', ['-c', text], () => {});
}

/** Its group: the child leads one of its own. */
function hangUp(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGHUP');
  } catch {
    // It has ended already.
  }
}
