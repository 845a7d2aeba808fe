/**
 * FakeService: the engine's door in memory, for tests of api, client and cli. A task does what the
 * function given for it does; nothing is stored, nothing runs anywhere.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '../../src/domain/failure.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { isEnded, type TaskState } from '../../src/domain/state.ts';
import type { StreamName, Task, TaskId, TaskSpec } from '../../src/domain/task.ts';
import type {
  Health,
  HostKeysReport,
  HostReport,
  LiveEvent,
  LoginReport,
  LoginRequest,
  MetricFamily,
  PinRequest,
  Plan,
  Progress,
  Service,
  SetupNews,
  SetupRequest,
  TaskReport,
} from '../../src/engine/service.ts';
import { lastLines } from '../../src/engine/stderr-tail.ts';
import { DIR, endStateOf, fakeHost, HOST } from './fake-parts.ts';
import { GrowingBytes, Waiters } from './growing-bytes.ts';

/** One attempt as its script sees it. */
export interface FakeRun {
  spec: TaskSpec;
  attempt: number;
  cancelled: AbortSignal;
  stdout(bytes: string | Uint8Array): void;
  stderr(bytes: string | Uint8Array): void;
  /** Tells a state the task passes through. */
  pass(kind: 'staging' | 'pulling' | 'launching'): void;
  block(reason: string, message: string): void;
  progress(progress: Progress): void;
}

/** The exit code of the command, or a failure that is not the command's. */
export type FakeEnd = number | AppError | 'retry';
export type FakeScript = (run: FakeRun) => Promise<FakeEnd> | FakeEnd;

interface Entry {
  task: Task;
  streams: Map<string, GrowingBytes>;
  cancel: AbortController;
}

export class FakeService implements Service {
  script: FakeScript = () => 0;
  /** What gc finds and removes. */
  kept: TaskId[] = [];
  /** Of tasks that came in by another protocol, by id. */
  readonly bodies = new Map<string, string>();
  readonly calls: { name: string; args: unknown[] }[] = [];
  healthReport: Health = { readOnly: false };
  readonly hostReports: HostReport[] = [fakeHost()];
  readonly entries = new Map<string, Entry>();
  readonly eventList: ({ type: 'event' } & Extract<LiveEvent, { type: 'event' }>)[] = [];
  private readonly keys = new Map<string, { digest: string; ids: string[] }>();
  private readonly changed = new Waiters();
  private latestProgress: LiveEvent | undefined;

  async submit(...[specs, idempotencyKey, documents]: Parameters<Service['submit']>) {
    this.note('submit', specs, idempotencyKey);
    const digest = JSON.stringify(specs);
    const known = idempotencyKey === undefined ? undefined : this.keys.get(idempotencyKey);
    if (known !== undefined) {
      if (known.digest !== digest)
        throw new AppError('TASK_IDEMPOTENCY_CONFLICT', 'key used before');
      return { created: false, tasks: known.ids.map((id) => this.report(this.find(id))) };
    }
    const entries = specs.map((spec) => this.create(spec));
    for (const [index, { body }] of (documents ?? []).entries()) {
      this.bodies.set(entries[index]?.task.id ?? '', body);
    }
    if (idempotencyKey !== undefined) {
      this.keys.set(idempotencyKey, { digest, ids: entries.map(({ task }) => task.id) });
    }
    return { created: true, tasks: entries.map((entry) => this.report(entry)) };
  }

  async admitUpload(): Promise<void> {
    this.note('admitUpload');
  }

  async plan(spec: TaskSpec): Promise<Plan> {
    this.note('plan', spec);
    return {
      host: spec.host ?? HOST,
      attemptDir: DIR,
      choice: { why: 'it was asked for' },
      image: { reference: spec.images[0] ?? '', path: `${DIR}/image.sif` },
      images: [{ reference: spec.images[0] ?? '', path: `${DIR}/image.sif` }],
      directories: [{ path: DIR, fate: 'removed' }],
      cleanup: spec.cleanup,
      inputs: [],
      outputs: [],
      files: { 'run.sh': '#!/bin/sh\nexec apptainer exec image.sif true\n' },
      job: { args: ['--ntasks=1', '--partition=short'], notes: ['less cpus'] },
    };
  }

  async get(id: string): Promise<TaskReport> {
    return this.report(this.find(id));
  }

  async wait(id: string, options: { timeoutMs: number; signal: AbortSignal }): Promise<TaskReport> {
    const entry = this.find(id);
    const end = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
    while (!isEnded(entry.task.state) && !end.aborted) await this.changed.next(end);
    return this.report(entry);
  }

  async list(query: Parameters<Service['list']>[0]) {
    this.note('list', query);
    const all = [...this.entries.values()].reverse().map((entry) => this.report(entry));
    const fitting = all.filter(
      ({ task: { spec, state } }) =>
        (query.states === undefined || query.states.includes(state.kind)) &&
        Object.entries(query.tags ?? {}).every(([name, value]) => spec.tags[name] === value),
    );
    const start = query.cursor === undefined ? 0 : Number(query.cursor);
    const next = start + query.limit;
    return {
      tasks: fitting.slice(start, next),
      ...(next < fitting.length && { cursor: String(next) }),
    };
  }

  async documents(query: Parameters<Service['documents']>[0]) {
    this.note('documents', query);
    const rows = [...this.bodies].reverse().flatMap(([id, body]) => {
      const { task } = this.find(id);
      if (query.id !== undefined && query.id !== id) return [];
      return [
        { id: task.id, kind: task.state.kind, failing: false, ...(query.bodies && { body }) },
      ];
    });
    return { rows: rows.slice(0, query.limit) };
  }

  async cancel(id: string): Promise<TaskReport> {
    this.note('cancel', id);
    const entry = this.find(id);
    if (isEnded(entry.task.state) && entry.task.state.kind !== 'cancelled') {
      throw new AppError('TASK_WRONG_STATE', `task ${id} has ended`, { context: { task: id } });
    }
    if (!isEnded(entry.task.state)) {
      this.move(
        entry,
        { kind: 'cancelling', published: true, ...this.place(entry) },
        'cancel-asked',
      );
      entry.cancel.abort();
    }
    return this.report(entry);
  }

  async retry(id: string): Promise<TaskReport> {
    const entry = this.find(id);
    if (!isEnded(entry.task.state)) throw new AppError('TASK_WRONG_STATE', 'it has not ended');
    this.begin(entry, entry.task.state.attempt + 1);
    return this.report(entry);
  }

  async hold(id: string): Promise<TaskReport> {
    return this.report(this.find(id));
  }

  async release(id: string): Promise<TaskReport> {
    const entry = this.find(id);
    if (entry.task.state.kind !== 'held') throw new AppError('TASK_WRONG_STATE', 'it is not held');
    this.begin(entry, 1);
    return this.report(entry);
  }

  async logs(id: string, stream: StreamName | 'runtime', options: Parameters<Service['logs']>[2]) {
    this.note('logs', id, stream, options);
    const entry = this.find(id);
    const attempt = options.attempt ?? entry.task.state.attempt;
    return this.stream(entry, stream, attempt).read(options);
  }

  async *events(options: Parameters<Service['events']>[0]): AsyncGenerator<LiveEvent> {
    this.note('events', options);
    let seq = options.since;
    let told: LiveEvent | undefined;
    for (;;) {
      const news = this.eventList.slice(seq);
      for (const event of news) {
        seq = event.seq;
        if (options.task === undefined || event.task === options.task) yield event;
      }
      if (!options.follow || options.signal.aborted) return;
      if (this.latestProgress !== told) {
        told = this.latestProgress;
        if (told !== undefined) yield told;
      } else if (seq === this.eventList.length) await this.changed.next(options.signal);
    }
  }

  async files(id: string, path: string) {
    this.note('files', id, path);
    this.find(id);
    return [{ name: 'result.txt', kind: 'file', size: 3 }];
  }

  async exec(): Promise<never> {
    throw new AppError('TASK_WRONG_STATE', 'the fake service runs nothing');
  }

  async matchFiles(): Promise<never> {
    throw new AppError('COPY_NOT_FOUND', 'the fake service has no files');
  }

  async fileContent(): Promise<never> {
    throw new AppError('COPY_NOT_FOUND', 'the fake service has no files');
  }

  hosts(): HostReport[] {
    return this.hostReports;
  }

  async setHostMode(name: string, mode: HostReport['mode']): Promise<HostReport> {
    this.note('setHostMode', name, mode);
    return { ...(await this.host(name, { probe: false })), mode, modeSince: 0 };
  }

  async forgetHost(name: string, options: { dryRun: boolean }) {
    this.note('forgetHost', name, options);
    const empty = { others: [], foreign: ['notes.txt'], kept: [], gone: false };
    const root = {
      root: '/home/alice/.towline',
      attempts: 2,
      images: 1,
      objects: 0,
      bytes: 4096,
      ...empty,
    };
    return { host: name, ...options, mode: 'paused' as const, roots: [root] };
  }

  /** What the set-up script says. */
  setupNews: SetupNews[] = [{ type: 'end', code: 0 }];

  async setupApptainer(name: string, request: SetupRequest): Promise<AsyncIterable<SetupNews>> {
    this.note('setupApptainer', name, request);
    return toStream(this.setupNews);
  }

  async setupHost(name: string): Promise<HostReport> {
    this.note('setupHost', name);
    return this.host(name, { probe: true });
  }

  async host(name: string, options: { probe: boolean }): Promise<HostReport> {
    this.note('host', name, options);
    const found = this.hostReports.find((host) => host.name === name);
    if (found === undefined) throw new AppError('HOST_UNKNOWN', `no host ${name}`);
    return found;
  }

  async trust(host: string, pin?: PinRequest): Promise<HostKeysReport> {
    this.note('trust', host, pin);
    const verdict = pin === undefined ? ('unknown' as const) : ('trusted' as const);
    const key = { type: 'ssh-ed25519', fingerprint: `SHA256:${'a'.repeat(43)}`, places: [] };
    return { name: host, file: '/state/known_hosts', keys: [{ ...key, verdict }] };
  }

  /** What a look at any host finds. */
  findings: Finding[] = [];

  doctor(name: string): AsyncIterable<Finding> {
    this.note('doctor', name);
    if (!this.hostReports.some((host) => host.name === name)) {
      throw new AppError('HOST_UNKNOWN', `no host ${name}`);
    }
    const { findings } = this;
    return (async function* all() {
      yield* findings;
    })();
  }

  /** The next steps of a login, in order; the last one stays. */
  loginSteps: LoginReport[] = [{ done: true, host: fakeHost() }];

  async login(name: string, request: LoginRequest): Promise<LoginReport> {
    this.note('login', name, request);
    const [step] = this.loginSteps.length > 1 ? this.loginSteps.splice(0, 1) : this.loginSteps;
    return step as LoginReport;
  }

  async images(host: string) {
    await this.host(host, { probe: false });
    return [{ reference: 'docker://a', path: `${DIR}/a.sif`, bytes: 2048, pulledAt: 0 }];
  }

  async pullImage(host: string, reference: string) {
    await this.host(host, { probe: false });
    if (reference.includes('unknown')) {
      throw new AppError('IMAGE_MANIFEST_UNKNOWN', `${reference}: manifest unknown`);
    }
    return { reference, path: `${DIR}/b.sif`, bytes: 4096, pulledAt: 0 };
  }

  async removeImage(host: string, reference: string): Promise<void> {
    this.note('removeImage', host, reference);
  }

  async pruneImages(host: string, request: Parameters<Service['pruneImages']>[1]) {
    this.note('pruneImages', host, request);
    const image = { reference: 'docker://a', path: `${DIR}/a.sif`, bytes: 2048, lastUsedAt: 0 };
    return { images: [image], kept: { inUse: 1, recent: 2 } };
  }

  async gc(request: Parameters<Service['gc']>[0]) {
    this.note('gc', request);
    const cleaned = this.kept;
    if (!request.dryRun) this.kept = [];
    return { cleaned, forgotten: [], removed: [], away: [] };
  }

  async removals() {
    return [{ at: 0, daemon: 'd', kind: 'objects', what: 'staged inputs', count: 2, bytes: 2048 }];
  }

  metrics(): MetricFamily[] {
    const [name, help] = ['towline_tasks', 'Tasks.'];
    return [{ name, help, type: 'gauge', samples: [{ labels: { state: 'running' }, value: 1 }] }];
  }

  async health() {
    return this.healthReport;
  }

  private note(name: string, ...args: unknown[]): void {
    this.calls.push({ name, args });
  }

  private find(id: string): Entry {
    const found = [...this.entries.values()].filter(({ task }) => task.id.startsWith(id));
    const [entry] = found;
    if (entry === undefined || found.length > 1 || id === '') {
      throw new AppError('TASK_NOT_FOUND', `no task ${id}`, { context: { task: id } });
    }
    return entry;
  }

  private create(spec: TaskSpec): Entry {
    const id = randomBytes(8).toString('hex') as TaskId;
    const now = Date.now();
    const state: TaskState = { kind: spec.held ? 'held' : 'queued', attempt: 1, since: now };
    const task: Task = { id, spec, state, history: [], version: 1, submittedAt: now };
    const entry: Entry = { task, streams: new Map(), cancel: new AbortController() };
    this.entries.set(id, entry);
    this.move(entry, state, 'submitted');
    if (!spec.held) this.begin(entry, 1);
    return entry;
  }

  private begin(entry: Entry, attempt: number): void {
    void this.run(entry, attempt);
  }

  private async run(entry: Entry, attempt: number): Promise<void> {
    const now = (): number => Date.now();
    this.move(entry, { kind: 'queued', attempt, since: now() }, 'retry-asked');
    const write = (name: StreamName) => (bytes: string | Uint8Array) =>
      this.stream(entry, name, attempt).append(Buffer.from(bytes as Uint8Array));
    const end = await this.script({
      spec: entry.task.spec,
      attempt,
      cancelled: entry.cancel.signal,
      stdout: write('stdout'),
      stderr: write('stderr'),
      pass: (kind) => this.move(entry, { kind, ...this.place(entry) } as TaskState, kind),
      block: (reason, message) => {
        const blocked = {
          host: HOST,
          reason,
          message,
          hint: 'see: towline host show vm',
          since: now(),
        };
        const state = { ...entry.task.state, host: HOST, blocked } as TaskState;
        this.move(entry, state, 'blocked', { blocked });
      },
      progress: (progress) => {
        this.latestProgress = { type: 'progress', at: now(), task: entry.task.id, progress };
        this.changed.wake();
      },
    });
    for (const name of ['stdout', 'stderr'] as const) this.stream(entry, name, attempt).close();
    if (end === 'retry') return this.run(entry, attempt + 1);
    this.move(entry, this.endState(entry, attempt, end), 'exited');
  }

  private endState(entry: Entry, attempt: number, end: number | AppError): TaskState {
    const cancelled = entry.cancel.signal.aborted;
    const bytes = (name: StreamName): number => this.stream(entry, name, attempt).bytes;
    const streams = { stdoutBytes: bytes('stdout'), stderrBytes: bytes('stderr') };
    return endStateOf({ task: entry.task, attempt, end, cancelled, streams });
  }

  private place(entry: Entry): { attempt: number; host: string; since: number } {
    return { attempt: entry.task.state.attempt, host: HOST, since: Date.now() };
  }

  private move(
    entry: Entry,
    state: TaskState,
    kind: string,
    data: Record<string, unknown> = {},
  ): void {
    entry.task = { ...entry.task, state, version: entry.task.version + 1 };
    this.eventList.push({
      type: 'event',
      seq: this.eventList.length + 1,
      at: Date.now(),
      task: entry.task.id,
      attempt: state.attempt,
      kind,
      state: state.kind,
      data,
    });
    this.changed.wake();
  }

  private stream(entry: Entry, name: string, attempt: number): GrowingBytes {
    const key = `${name}.${attempt}`;
    const known = entry.streams.get(key) ?? new GrowingBytes();
    entry.streams.set(key, known);
    return known;
  }

  private report(entry: Entry): TaskReport {
    const { task } = entry;
    const stream = (name: StreamName) => {
      const { bytes, complete } = this.stream(entry, name, task.state.attempt);
      return { bytes, complete };
    };
    return {
      task,
      streams: { stdout: stream('stdout'), stderr: stream('stderr') },
      remoteDir: DIR,
      ...('failure' in task.state && {
        stderrTail: lastLines(this.stream(entry, 'stderr', task.state.attempt).last),
      }),
    };
  }
}

async function* toStream<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
