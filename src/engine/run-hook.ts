/**
 * A command of the user on this machine, run by his shell with a task on its stdin. It is bounded in time and in what
 * is kept of its words; what it leaves running in the background after its own end is its own affair.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, homedir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HookRun {
  text: string;
  env: Readonly<Record<string, string>>;
  stdin: string;
  limitMs: number;
  signal: AbortSignal;
}

export interface HookOutcome {
  /** 128+n for a signal; absent: it could not be started. */
  code?: number | undefined;
  /** Why it could not be started. */
  error?: string | undefined;
  late: boolean;
  /** Its last words on both outputs. */
  words: string;
  ms: number;
}

/** In the environment, not among the arguments: those everybody on the machine can read. */
const RUN = `hook=$TOWLINE_HOOK; unset TOWLINE_HOOK
[ -z "\${TOWLINE_UMASK-}" ] || umask "$TOWLINE_UMASK"
eval "$hook"`;
const WORDS_MAX = 2_000;
/** Between TERM and KILL, and for the last words of one that left a child behind. */
const GRACE_MS = 2_000;
const LAST_WORDS_MS = 200;

/** Runs it to its end, its time limit or the abort; never rejects. */
export async function runHook(run: HookRun): Promise<HookOutcome> {
  const began = performance.now();
  const limit = AbortSignal.timeout(run.limitMs);
  const child = start(run);
  if (child instanceof Error) return { error: child.message, late: false, words: '', ms: 0 };
  const words = lastWords(child);
  const ending = endOnce(child, AbortSignal.any([limit, run.signal]));
  const end = await ended(child, run.stdin);
  ending.over();
  return { ...end, late: limit.aborted, words: words(), ms: Math.round(performance.now() - began) };
}

/** Some reasons not to start are thrown (too long a text), some are told later. */
function start({ text, env }: HookRun): ChildProcess | Error {
  try {
    return spawn('/bin/sh', ['-c', RUN, 'on-finish'], {
      cwd: homedir(),
      env: { ...ownEnvironment(), ...env, TOWLINE_HOOK: text },
      // a group of its own: all that it started is ended together
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What tests do to this daemon is not for what it starts. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { TOWLINE_FAULT: _fault, TOWLINE_FAULT_TRACE: _trace, ...env } = process.env;
  return env;
}

async function ended(
  child: ChildProcess,
  stdin: string,
): Promise<{ code?: number; error?: string }> {
  // it need not read what it is told
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  const closed = new Promise((resolve) => child.once('close', resolve));
  const end = await new Promise<{ code?: number; error?: string }>((resolve) => {
    child.once('error', ({ message }) => resolve({ error: message }));
    child.once('exit', (code, signal) =>
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) }),
    );
  });
  await Promise.race([closed, sleep(LAST_WORDS_MS)]);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  return end;
}

/** TERM to the whole group when the signal fires, KILL if that does not help. */
function endOnce({ pid }: ChildProcess, signal: AbortSignal): { over: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    kill(pid, 'SIGTERM');
    timer = setTimeout(() => kill(pid, 'SIGKILL'), GRACE_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return {
    over() {
      signal.removeEventListener('abort', stop);
      clearTimeout(timer);
      if (timer !== undefined) kill(pid, 'SIGKILL');
    },
  };
}

/** The group may have gone. */
function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {}
}

function lastWords(child: ChildProcess): () => string {
  let kept = Buffer.alloc(0);
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]).subarray(-WORDS_MAX);
    });
  return () => kept.toString().trim();
}
