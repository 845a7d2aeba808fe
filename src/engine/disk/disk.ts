/**
 * The daemon's end of the thread of the disk. The thread is started by the first question and ends when nobody has asked
 * for a while: most of the time there is nothing to stage.
 */
import { Worker } from 'node:worker_threads';
import { AppError } from '../../domain/failure.ts';
import type { Acts } from './acts.ts';
import type { Answer, Question, ToldError } from './questions.ts';

const IDLE_MS = 30_000;

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

interface Thread {
  worker: Worker;
  waiting: Map<number, Waiting>;
}

let thread: Thread | undefined;
let asked = 0;
/** Those who have something open there. */
let holders = 0;
let idle: NodeJS.Timeout | undefined;

/** Has the thread do it; what is moved is not here any more. @throws AppError, or an error with the code of the file system */
export function askDisk<K extends keyof Acts>(
  act: K,
  input: Parameters<Acts[K]>,
  moved: ArrayBuffer[] = [],
): Promise<Awaited<ReturnType<Acts[K]>>> {
  clearTimeout(idle);
  const { worker, waiting } = (thread ??= start());
  asked += 1;
  const id = asked;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, act, input } satisfies Question, moved);
  });
}

/** Until the returned function is called the thread stays. */
export function holdDisk(): () => void {
  holders += 1;
  return () => {
    holders -= 1;
    rest();
  };
}

function start(): Thread {
  const worker = new Worker(threadUrl());
  const waiting = new Map<number, Waiting>();
  const own = { worker, waiting };
  const end = (cause?: unknown): void => {
    if (thread === own) thread = undefined;
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    const error = new AppError('INTERNAL', `the thread of the disk is gone${reason}`, { cause });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.unref();
  worker.on('error', end);
  worker.on('exit', () => end());
  worker.on('message', (answer: Answer) => {
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) one?.reject(thrown(answer.error));
    else one?.resolve(answer.value as never);
    rest();
  });
  return own;
}

function rest(): void {
  if (holders > 0 || thread === undefined || thread.waiting.size > 0) return;
  const { worker } = thread;
  clearTimeout(idle);
  idle = setTimeout(() => {
    thread = undefined;
    void worker.terminate();
  }, IDLE_MS).unref();
}

function thrown({ message, errno, index, own }: ToldError): Error {
  if (own !== undefined) return new AppError(own.code, message, { context: own.context });
  return Object.assign(new Error(message), { code: errno, index });
}

/** Node runs the sources, and what the build made of them (scripts/build.ts); the thread is a file of its own there, too. */
function threadUrl(): URL {
  const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js';
  return new URL(file, import.meta.url);
}
