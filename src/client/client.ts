/**
 * The typed client: used by the CLI, and by scripts through public.ts. What comes in: tasks, ids, options.
 * What goes out: views, byte streams, events; every call rejects with a TowlineError, or with the reason of
 * its own signal. What can be repeated without harm is repeated when the daemon restarts in the middle. Never
 * here: printing, exit codes, packages. Read next: transport.ts, follow.ts.
 */
import type { Readable } from 'node:stream';
import type { StreamName } from '../domain/task.ts';
import type { ExecStart } from '../protocol/exec-messages.ts';
import type { WireTaskSpec } from '../protocol/spec-schema.ts';
import type * as views from '../protocol/views.ts';
import { followEvents, followLogs } from './follow.ts';
import { readJsonLines } from './json-lines.ts';
import { type Reconnect, repeat, surely } from './reconnect.ts';
import { createTransport, type Transport } from './transport.ts';

export type { WireTaskSpec } from '../protocol/spec-schema.ts';
export type * from '../protocol/views.ts';
export type { ExecEvent, ExecStream } from './exec.ts';
export type { Reconnect } from './reconnect.ts';

export interface ClientOptions {
  socketPath: string;
}

export interface ListOptions {
  state?: readonly string[] | undefined;
  host?: string | undefined;
  name?: string | undefined;
  tag?: readonly string[] | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface LogsOptions extends Reconnect {
  offset?: number | undefined;
  follow?: boolean | undefined;
  attempt?: number | undefined;
}

export interface EventsOptions extends Reconnect {
  since?: number | undefined;
  follow?: boolean | undefined;
  task?: string | undefined;
}

export interface WaitOptions extends Reconnect {
  /** Default: no end. */
  timeoutMs?: number | undefined;
}

export interface GcOptions {
  olderThanMs?: number | undefined;
  dryRun?: boolean | undefined;
  host?: string | undefined;
  /** Also images that no task uses. */
  images?: boolean | undefined;
}

/** One long poll; a longer wait is made of several. */
const WAIT_SLICE_MS = 60_000;

/** A client of the daemon behind a socket; nothing is dialled before the first call. */
export function createClient({ socketPath }: ClientOptions) {
  const transport = createTransport(socketPath);
  return {
    ...taskCalls(transport),
    ...streamCalls(transport),
    ...hostCalls(transport),
    /** The daemon's version and process. @throws DAEMON_NOT_RUNNING */
    health: () => transport.call<views.HealthView>('health'),
    /** Prometheus text. */
    metrics: () => transport.text('metrics'),
    /** Removes what is not needed any more, or says what would go. @throws HOST_UNKNOWN */
    gc: (body: GcOptions) => transport.call<views.GcView>('gc', { body }),
    /** What was removed, oldest first. */
    gcHistory: (limit?: number) =>
      transport.call<views.GcHistoryView>('gcHistory', { query: { limit } }),
    /** Ends idle connections, so that a process can end. */
    close: () => transport.close(),
  };
}

export type Client = ReturnType<typeof createClient>;

function taskCalls(transport: Transport) {
  const act = (name: 'cancel' | 'retry' | 'hold' | 'release') => (id: string) =>
    transport.call<views.TaskView>(name, { params: { id } });
  return {
    /**
     * Submits tasks, all or none. Safe to repeat: without a key of the caller's a random one is sent.
     * @throws TASK_INVALID HOST_UNKNOWN STAGE_INPUT_MISSING TASK_IDEMPOTENCY_CONFLICT and others
     */
    submit: (
      tasks: readonly WireTaskSpec[],
      options: { idempotencyKey?: string | undefined } = {},
    ) =>
      transport.call<views.SubmitView>('submit', {
        body: tasks,
        headers: { 'idempotency-key': options.idempotencyKey ?? randomKey() },
      }),
    /** The script and plan of a task; nothing is executed. @throws as submit */
    plan: (task: WireTaskSpec) => transport.call<views.PlanView>('plan', { body: task }),
    /** @throws TASK_NOT_FOUND */
    get: (id: string) => transport.call<views.TaskView>('getTask', { params: { id } }),
    list: (options: ListOptions = {}) =>
      transport.call<views.TaskListView>('listTasks', { query: { ...options } }),
    /** Resolves when the task has ended, or as it stands at the timeout. @throws TASK_NOT_FOUND */
    wait: (id: string, options: WaitOptions = {}) => waitFor(transport, id, options),
    cancel: act('cancel'),
    retry: act('retry'),
    hold: act('hold'),
    release: act('release'),
    /** Entries of a directory below the task's work directory. */
    files: (id: string, path = '') =>
      transport.call<views.FilesView>('files', { params: { id }, query: { path } }),
    /** What a path or glob inside a task means. @throws COPY_NOT_FOUND OUTPUT_UNSAFE TASK_WRONG_STATE */
    matchFiles: (id: string, path: string) =>
      transport.call<views.MatchedFilesView>('matchFiles', { params: { id }, query: { path } }),
    /** The bytes of one file; they break with an error when they are not all of it. @throws as matchFiles */
    fileContent: (id: string, path: string) => openContent(transport, id, path),
    /** Leaves bytes with the daemon; the path can be a task's stdin. */
    upload: (bytes: Readable) => transport.upload(bytes),
  };
}

function streamCalls(transport: Transport) {
  return {
    /** The bytes of a stream from an offset; goes on at the right byte after a lost connection. */
    logs: (id: string, stream: StreamName | 'runtime', options: LogsOptions = {}) =>
      followLogs(transport, { id, stream }, options),
    /** Runs a command inside a task; resolves when it runs. @throws TASK_WRONG_STATE HOST_SESSIONS_FULL and others */
    exec: async (id: string, start: ExecStart, options: { signal?: AbortSignal } = {}) => {
      const { openExec } = await import('./exec.ts');
      return openExec(transport, { id, start, signal: options.signal });
    },
    /** Events after `since`; goes on at the next one after a lost connection. */
    events: (options: EventsOptions = {}) => followEvents(transport, options),
  };
}

function hostCalls(transport: Transport) {
  const act = (route: 'pauseHost' | 'resumeHost' | 'drainHost') => (name: string) =>
    transport.call<views.HostView>(route, { params: { name } });
  return {
    hosts: () => transport.call<views.HostListView>('listHosts'),
    /** @throws HOST_UNKNOWN; with probe also what the connection fails with */
    host: (name: string, options: { probe?: boolean } = {}) =>
      transport.call<views.HostView>('getHost', { params: { name }, query: { ...options } }),
    /** Nothing is sent to the host until it is resumed. @throws HOST_UNKNOWN */
    pauseHost: act('pauseHost'),
    resumeHost: act('resumeHost'),
    drainHost: act('drainHost'),
    /** Removes what this daemon made there; by default only says what would go. @throws HOST_IN_USE */
    forgetHost: (name: string, body: { dryRun?: boolean } = {}) =>
      transport.call<views.ForgetView>('forgetHost', { params: { name }, body }),
    /** @throws what the first contact fails with */
    setupHost: (name: string) => transport.call<views.SetupView>('setupHost', { params: { name } }),
    /**
     * Looks for the runtime of a host, says what would be done, or installs it: what the script there says,
     * its end last. @throws HOST_UNKNOWN HOST_PAUSED SSH_*
     */
    setupApptainer: (
      name: string,
      body: { act: 'check' | 'print' | 'install'; cacheDir?: string; tmpDir?: string },
    ) =>
      readJsonLines<views.SetupNewsView>(transport, 'setupApptainer', { params: { name }, body }),
    /** The keys a host offers; with `fingerprint` those are pinned. @throws HOST_KEY_* SSH_* */
    trust: (name: string, body: { fingerprint?: readonly string[]; replace?: boolean } = {}) =>
      transport.call<views.HostTrustView>('trustHost', { params: { name }, body }),
    /** What doctor finds, as it finds it; the last one is the summary. @throws HOST_UNKNOWN */
    doctor: (name: string, options: { signal?: AbortSignal } = {}) =>
      readJsonLines<views.DoctorView>(transport, 'doctor', { params: { name }, ...options }),
    /**
     * One step of a login: without a session it begins; then each call answers what the last one asked.
     * @throws SSH_LOGIN_FAILED SSH_LOGIN_ENDED HOST_UNKNOWN, and what the connection fails with
     */
    loginHost: (name: string, step: { session?: string; answers?: readonly string[] } = {}) =>
      transport.call<views.LoginView>('loginHost', { params: { name }, body: step }),
    images: (name: string) =>
      transport.call<views.ImageListView>('listImages', { params: { name } }),
    /** Resolves when the image is there. @throws IMAGE_* HOST_UNKNOWN */
    pullImage: (name: string, reference: string, options: { signal?: AbortSignal } = {}) =>
      transport.call<views.ImageView>('pullImage', {
        params: { name },
        body: { reference },
        signal: options.signal,
      }),
    /** `dryRun` (the default) only says what would go. */
    pruneImages: (name: string, request: { olderThanMs?: number; dryRun?: boolean } = {}) =>
      transport.call<views.PruneView>('pruneImages', { params: { name }, body: request }),
    removeImage: (name: string, reference: string) =>
      transport.call<Record<string, never>>('removeImage', {
        params: { name },
        query: { reference },
      }),
  };
}

async function openContent(transport: Transport, id: string, path: string) {
  const bytes = await transport.open('fileContent', { params: { id }, query: { path } });
  const { 'towline-sha256': sha256, 'towline-mode': mode, 'content-length': size } = bytes.headers;
  return {
    bytes: bytes as Readable,
    sha256: String(sha256),
    mode: Number.parseInt(String(mode), 8),
    size: Number(size),
  };
}

/** Loaded when it is used: most calls need no random key. */
function randomKey(): string {
  return process.getBuiltinModule('node:crypto').randomUUID();
}

async function waitFor(
  transport: Transport,
  id: string,
  options: WaitOptions,
): Promise<views.TaskView> {
  const end =
    options.timeoutMs === undefined
      ? Number.POSITIVE_INFINITY
      : performance.now() + options.timeoutMs;
  const ask = (): Promise<views.TaskView> => {
    const slice = Math.max(0, Math.min(WAIT_SLICE_MS, end - performance.now()));
    const query = { wait: slice / 1000 };
    return transport.call('getTask', { params: { id }, query, signal: options.signal });
  };
  let view = await repeat(options, ask);
  // A daemon that stops may answer early; from now on one that is away comes back.
  while (!view.ended && performance.now() < end) view = await surely(ask, options);
  return view;
}
