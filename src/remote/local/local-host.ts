/** This machine as a host: the same promises with a child `/bin/sh` and node:fs, and no link to lose. */
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { newCounters } from '../counters.ts';
import { fillDeps, type HostDeps } from '../deps.ts';
import type {
  DirectoryEntry,
  Host,
  HostCounters,
  HostLinkState,
  Inspection,
  ProcessOptions,
  RemoteProcess,
  RunOptions,
  RunResult,
  TransferOptions,
} from '../host.ts';
import { roomOf } from '../room.ts';
import { HOST_TUNING } from '../settings.ts';
import { ControlShell, type ShellDeps } from '../shell/control-shell.ts';
import { SlowLanes } from '../shell/slow-lanes.ts';
import { listOf, readInto, readRangeOf, writeTo } from './local-files.ts';
import { startLocalProcess } from './local-process.ts';
import { openLocalShell } from './local-shell.ts';

const DEADLINE_MS = { quick: 15_000, slow: 300_000 } as const;
const SLOW_LANES_MAX = 2;

/** Makes the host; shells are started when they are needed. Never throws. */
export function createLocalHost(settings: { name: string }, deps: Partial<HostDeps> = {}): Host {
  return new LocalHost(settings.name, fillDeps(deps));
}

class LocalHost implements Host {
  readonly name: string;
  readonly #context: ErrorContext;
  readonly #counters = newCounters();
  readonly #listeners = new Set<(state: HostLinkState) => void>();
  readonly #quick: ControlShell;
  readonly #slow: SlowLanes;
  readonly #processes = new Set<RemoteProcess>();
  #state: HostLinkState;

  constructor(name: string, { clock }: HostDeps) {
    this.name = name;
    this.#context = { host: name };
    this.#state = { kind: 'ready', since: clock.now() };
    const shell: ShellDeps = {
      open: () => openLocalShell(this.#counters),
      clock,
      counters: this.#counters,
      context: this.#context,
    };
    const { idleCloseMs } = HOST_TUNING;
    this.#quick = new ControlShell(shell);
    this.#slow = new SlowLanes(shell, { max: SLOW_LANES_MAX, idleCloseMs });
  }

  linkState(): HostLinkState {
    return this.#state;
  }

  onLinkState(listener: (state: HostLinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counters(): HostCounters {
    return { ...this.#counters };
  }

  budget(): undefined {
    return undefined;
  }

  async run(script: string, options: RunOptions): Promise<RunResult> {
    this.#refuseClosed();
    const { purpose, lane = 'quick', signal } = options;
    const shell = lane === 'quick' ? this.#quick : this.#slow;
    const deadlineMs = options.deadlineMs ?? DEADLINE_MS[lane];
    return await shell.run(script, { purpose, deadlineMs, signal });
  }

  async openProcess(script: string, options: ProcessOptions): Promise<RemoteProcess> {
    this.#refuseClosed();
    const process = await startLocalProcess({ script, options, host: this.name });
    this.#counters.channels += 1;
    this.#processes.add(process);
    const gone = (): void => void this.#processes.delete(process);
    process.ended.then(gone, gone);
    return process;
  }

  async readRange(path: string, offset: number, room: number | Buffer): Promise<Buffer> {
    this.#refuseClosed();
    const bytes = await readRangeOf(path, { offset, room: roomOf(room) }, this.#context);
    this.#counters.bytesReceived += bytes.length;
    return bytes;
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    this.#refuseClosed();
    return await listOf(path, this.#context);
  }

  async upload(
    source: AsyncIterable<Uint8Array>,
    target: string,
    options: TransferOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    const onProgress = this.#counting('bytesSent', options);
    await writeTo({ source, target, context: this.#context }, { ...options, onProgress });
  }

  async download(
    source: { path: string; size: number },
    write: (chunk: Buffer) => Promise<void>,
    options: TransferOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    const onProgress = this.#counting('bytesReceived', options);
    await readInto({ ...source, write, context: this.#context }, { ...options, onProgress });
  }

  /** There is no way to look at. */
  async inspect(): Promise<Inspection> {
    return { link: {}, run: (script, options) => this.run(script, options), close: () => {} };
  }

  /** There is nothing to connect to. */
  wake(): void {}

  async login(): Promise<void> {}

  async close(): Promise<void> {
    const reason = this.#closedError();
    this.#quick.end(reason);
    this.#slow.end(reason);
    for (const process of this.#processes) process.close();
    this.#state = { kind: 'closed' };
    for (const listener of this.#listeners) listener(this.#state);
  }

  #counting(direction: 'bytesSent' | 'bytesReceived', options: TransferOptions) {
    let before = options.offset ?? 0;
    return (done: number): void => {
      this.#counters[direction] += done - before;
      before = done;
      options.onProgress?.(done);
    };
  }

  #refuseClosed(): void {
    if (this.#state.kind === 'closed') throw this.#closedError();
  }

  #closedError(): AppError {
    return new AppError('HOST_CALL_ABORTED', `host ${this.name} was closed`, {
      context: this.#context,
    });
  }
}
