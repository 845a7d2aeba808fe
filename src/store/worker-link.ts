/** The main thread's end of the ledger: numbered requests out, their replies back. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { AppError } from '../domain/failure.ts';
import type { FromWorker, Opened, Request, Round, ToWorker, WorkerInput } from './requests.ts';
import { receiveError } from './sent-error.ts';
import type { StoreCounters } from './store.ts';

/** The way to a ledger, wherever it runs. */
export interface Link {
  readonly opened: Opened;
  ask(request: Request): Promise<unknown>;
  counters(): StoreCounters;
  /** Answers everything that was asked, then closes the database. */
  close(): Promise<void>;
}

/** What passes through the worker is short-lived; unbounded, it lets garbage grow to five times that. */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Starts the worker and waits until its database is open.
 * @throws STORE_SCHEMA_NEWER, STORE_CORRUPT, STORE_FULL, DAEMON_ALREADY_RUNNING.
 */
export async function startWorker(input: WorkerInput): Promise<Link> {
  const worker = new Worker(workerUrl(), { workerData: input, resourceLimits: LIMITS });
  const waiting = new Map<number, Waiting>();
  const counters: StoreCounters = { transactions: 0, changes: 0 };
  let lost: Error | undefined;
  let closing = false;
  let nextId = 1;

  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const end = (reason: Error) => {
    lost ??= reason;
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
  };
  const opened = await firstWord(worker);
  worker.on('message', (message: FromWorker) => {
    assert(message.kind === 'round');
    Object.assign(counters, settle(message.round, waiting));
  });
  worker.on('error', (error) => end(gone(error)));
  worker.on('exit', () => end(gone()));

  const post = (message: ToWorker) => worker.postMessage(message);
  return {
    opened,
    counters: () => ({ ...counters }),
    async ask(request) {
      if (closing) throw new AppError('DAEMON_STOPPING', 'the store is closed');
      if (lost !== undefined) throw lost;
      const id = nextId++;
      post({ kind: 'request', id, request });
      return await new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    async close() {
      closing = true;
      post({ kind: 'close' });
      await exited;
    },
  };
}

/** Settles the requests of a round and gives the counters after it. */
function settle({ replies, ...counters }: Round, waiting: Map<number, Waiting>): StoreCounters {
  for (const reply of replies) {
    const request = waiting.get(reply.id);
    assert(request !== undefined, `the ledger answered request ${reply.id} twice`);
    waiting.delete(reply.id);
    if ('error' in reply) request.reject(receiveError(reply.error));
    else request.resolve(reply.value);
  }
  return counters;
}

function firstWord(worker: Worker): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  const fail = (error?: unknown) => reject(gone(error));
  worker.once('error', fail);
  worker.once('exit', fail);
  worker.once('message', (message: FromWorker) => {
    worker.off('error', fail);
    worker.off('exit', fail);
    if (message.kind === 'opened') resolve(message.opened);
    else if (message.kind === 'failed') reject(receiveError(message.error));
    else fail();
  });
  return promise;
}

function gone(cause?: unknown): AppError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new AppError('INTERNAL', `the thread of the store is gone${reason}`, { cause });
}

/** Node runs the sources, and what the build made of them (scripts/build.ts); the worker is a file of its own there, too. */
function workerUrl(): URL {
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  return new URL(file, import.meta.url);
}
