/**
 * A host that does nothing and says what the test tells it to: for faults a real one cannot be brought
 * to. Every call is written down; a purpose nobody has an answer for fails the test by name.
 */
import { AppError } from '../../src/domain/failure.ts';
import type {
  Ask,
  DirectoryEntry,
  Host,
  HostBudget,
  HostLinkState,
  Inspection,
  LinkInspection,
  ProcessOptions,
  RemoteProcess,
  RunOptions,
  RunResult,
  TransferOptions,
} from '../../src/remote/host.ts';
import { roomOf } from '../../src/remote/room.ts';

export const ROOT = '/home/alice/.towline';

const FACTS = {
  root: ROOT,
  uid: '1000',
  user: 'alice',
  home: '/home/alice',
  hostname: 'vm',
  machineId: 'machine',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  cpus: '4',
  memoryBytes: '8000000000',
  rootFsType: 'ext4',
  freeBytes: '1000000',
  clockMs: '1000',
};
const TOOLS = ['mvNoTarget', 'syncFile', 'setsid', 'sha256sum', 'stat', 'defaultSignal'];

/** What a first contact finds. */
export function probeReply(
  facts: Partial<typeof FACTS & { rootId: string }> = {},
  runtime = true,
): string {
  return [
    ...Object.entries({ ...FACTS, ...facts }).map(([name, value]) => `@ fact ${name} ${value}`),
    ...TOOLS.map((name) => `@ tool ${name} 1`),
    ...(runtime ? ['@ runtime /usr/bin/apptainer', '@ version apptainer version 1.4.5'] : []),
    '@ done',
  ].join('\n');
}

export interface Call {
  purpose: string;
  script: string;
  signal: AbortSignal | undefined;
}

type Answer = (call: Call) => string | Promise<string>;

export class FakeHost implements Host {
  readonly name: string;
  /** Purposes, in the order asked. */
  readonly calls: string[] = [];
  readonly scripts: string[] = [];
  /** Remote files by path; what grows here grows there. */
  readonly files = new Map<string, Buffer>();
  readonly directories = new Map<string, DirectoryEntry[]>();
  woken = 0;
  /** What reading, listing, uploading and downloading fail with, while it is set. */
  fault: AppError | undefined;
  #state: HostLinkState = { kind: 'ready', since: 0 };
  readonly #listeners = new Set<(state: HostLinkState) => void>();
  readonly #answers: { purpose: RegExp; answer: Answer }[] = [];

  constructor(name = 'vm') {
    this.name = name;
    this.on(/^looking at host/, () => probeReply());
  }

  /** From now on answers like this; the last word on a purpose counts. */
  on(purpose: RegExp, answer: Answer): this {
    this.#answers.unshift({ purpose, answer });
    return this;
  }

  /** How often something of this purpose was asked. */
  count(purpose: RegExp): number {
    return this.calls.filter((call) => purpose.test(call)).length;
  }

  setLink(state: HostLinkState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  linkState(): HostLinkState {
    return this.#state;
  }

  onLinkState(listener: (state: HostLinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counters() {
    return {
      logins: 1,
      channels: 1,
      shellBatches: this.calls.length,
      shellCommands: this.calls.length,
      sftpRequests: 0,
      bytesSent: 0,
      bytesReceived: 0,
    };
  }

  /** What `budget()` gives. */
  used: HostBudget | undefined;

  budget(): HostBudget | undefined {
    return this.used;
  }

  async run(script: string, { purpose, signal }: RunOptions): Promise<RunResult> {
    this.#refuseClosed();
    this.calls.push(purpose);
    this.scripts.push(script);
    const known = this.#answers.find((candidate) => candidate.purpose.test(purpose));
    if (known === undefined) throw new Error(`the fake host has no answer for: ${purpose}`);
    return { code: 0, output: await known.answer({ purpose, script, signal }) };
  }

  /** What is started for a call, if anything. */
  onProcess: (call: Call) => RemoteProcess | undefined = () => undefined;

  async openProcess(script: string, { purpose, signal }: ProcessOptions): Promise<RemoteProcess> {
    this.#refuseClosed();
    this.calls.push(purpose);
    this.scripts.push(script);
    const process = this.onProcess({ purpose, script, signal });
    if (process !== undefined) return process;
    throw this.fault ?? new Error(`the fake host starts no process for: ${purpose}`);
  }

  async readRange(path: string, offset: number, wanted: number | Buffer): Promise<Buffer> {
    this.#refuseClosed();
    this.calls.push(`read ${path}`);
    if (this.fault !== undefined) throw this.fault;
    const room = roomOf(wanted);
    const file = this.files.get(path) ?? Buffer.alloc(0);
    return room.subarray(0, file.subarray(offset).copy(room));
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    this.#refuseClosed();
    this.calls.push(`list ${path}`);
    if (this.fault !== undefined) throw this.fault;
    const entries = this.directories.get(path);
    if (entries === undefined) throw new AppError('SFTP_NOT_FOUND', `list ${path}: no such file`);
    return entries;
  }

  async upload(
    source: AsyncIterable<Uint8Array>,
    target: string,
    { offset = 0, signal, onProgress }: TransferOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    this.calls.push(`upload ${target}`);
    let bytes = (this.files.get(target) ?? Buffer.alloc(0)).subarray(0, offset);
    for await (const chunk of source) {
      if (signal?.aborted) throw new AppError('HOST_CALL_ABORTED', 'given up');
      if (this.fault !== undefined) throw this.fault;
      bytes = Buffer.concat([bytes, chunk]);
      this.files.set(target, bytes);
      onProgress?.(bytes.length);
    }
    this.files.set(target, bytes);
  }

  async download(
    source: { path: string; size: number },
    write: (chunk: Buffer) => Promise<void>,
    { onProgress, offset = 0 }: TransferOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    this.calls.push(`download ${source.path}${offset === 0 ? '' : ` from ${offset}`}`);
    if (this.fault !== undefined) throw this.fault;
    const bytes = (this.files.get(source.path) ?? Buffer.alloc(0)).subarray(offset, source.size);
    // its own copy: whoever gets it may move it elsewhere
    if (bytes.length > 0) await write(Buffer.from(bytes));
    onProgress?.(bytes.length);
  }

  /** What a look at the link finds. */
  link: LinkInspection = {};

  async inspect(tell: (link: LinkInspection) => void): Promise<Inspection> {
    this.calls.push('inspect');
    tell(this.link);
    const run: Host['run'] = (script, options) => this.run(script, options);
    return { link: this.link, run, close: () => void this.calls.push('inspected') };
  }

  /** What the host asks whoever logs in, and with which answers it is content. */
  login(ask: Ask): Promise<void> {
    return this.onLogin(ask);
  }

  onLogin: (ask: Ask) => Promise<void> = async () => {};

  wake(): void {
    this.woken += 1;
  }

  async close(): Promise<void> {
    this.setLink({ kind: 'closed' });
  }

  #refuseClosed(): void {
    if (this.#state.kind !== 'closed') return;
    throw new AppError('HOST_CALL_ABORTED', `host ${this.name} was closed`);
  }
}

/** One entry of a remote directory. */
export function entry(
  name: string,
  kind: DirectoryEntry['kind'] = 'file',
  more: Partial<DirectoryEntry> = {},
): DirectoryEntry {
  return { name, kind, size: 1, mode: 0o644, mtimeMs: 0, ...more };
}
