/**
 * What the door shows: the JSON of tasks, events, hosts, images, plans and errors. Times are ISO
 * 8601 in UTC; what is not known is absent. New fields may be added, none is renamed or removed.
 */
import { z } from 'zod';
import { HOST_MODES } from '../domain/host-mode.ts';
import { STATE_KINDS } from '../domain/state.ts';
import { failureView } from './failure-view.ts';
import { jobView } from './job-view.ts';
import { slurmAskView } from './slurm-schema.ts';

export * from './failure-view.ts';
export * from './host-views.ts';

const time = z.iso.datetime();
const count = z.number();

export const errorView = z.object({ error: failureView });

const progressView = z.object({
  step: z.enum(['stage', 'pull', 'collect']),
  what: z.string(),
  bytesDone: count,
  bytesTotal: count.optional(),
});

const streamView = z.object({ bytes: count, complete: z.boolean() });

const blockedView = z.object({
  host: z.string(),
  reason: z.string(),
  message: z.string(),
  hint: z.string(),
  since: time,
  nextTryAt: time.optional(),
});

const outputView = z.object({
  path: z.string(),
  remote: z.string(),
  local: z.string(),
  bytes: count,
  sha256: z.string(),
});

/** What an attempt used on its host, as far as that could tell. */
const usageView = z.object({
  /** From start to end, the container's start included. */
  wallMs: count,
  cpuUserMs: count,
  cpuSystemMs: count,
  /** Peak of the largest process that was seen. */
  maxRssBytes: count.optional(),
});

const exitLimit = z.enum(['time', 'stdout', 'stderr', 'memory', 'job']);

/** An attempt that another one followed. */
const pastAttemptView = z.object({
  attempt: count,
  result: z.string(),
  host: z.string().optional(),
  image: z.string().optional(),
  imageDigest: z.string().optional(),
  exitCode: count.optional(),
  limit: exitLimit.optional(),
  failure: failureView.optional(),
  usage: usageView.optional(),
  finishedAt: time,
});

/** What was asked for, as far as it helps to understand what became of it. Never the environment. */
const askedView = z.object({
  images: z.array(z.string()),
  host: z.string().optional(),
  cpus: count.optional(),
  memoryBytes: count.optional(),
  gpus: count.optional(),
  require: z.array(z.string()).optional(),
  slurm: slurmAskView.optional(),
  timeLimitMs: count.optional(),
  inputs: z.array(z.object({ from: z.string(), to: z.string() })),
  outputs: z.array(z.object({ path: z.string(), local: z.string() })),
  share: z.array(z.string()).optional(),
  retries: count,
  after: z.array(z.string()).optional(),
  acceptExit: z.array(count),
});

/** The command to be run at the end of the task, and what became of it. */
const onFinishView = z.object({
  command: z.string(),
  /** waiting: the task has not ended; passed-over: it was given another attempt first. */
  state: z.enum(['waiting', 'pending', 'done', 'failed', 'passed-over']),
  at: time.optional(),
  ms: count.optional(),
  exitCode: count.optional(),
  failure: failureView.optional(),
});

export const taskView = z.object({
  id: z.string(),
  name: z.string().optional(),
  state: z.enum(STATE_KINDS as [string, ...string[]]),
  /** True when nothing more will happen to the task by itself. */
  ended: z.boolean(),
  attempt: count,
  version: count,
  host: z.string().optional(),
  /** The devices of the host that it has, or had. */
  gpus: z.array(z.string()).optional(),
  image: z.string().optional(),
  imagePath: z.string().optional(),
  /** The digest of its manifest in the registry, where the runtime told it. */
  imageDigest: z.string().optional(),
  /** What the host's scheduler runs it in. */
  job: jobView.optional(),
  command: z.union([z.string(), z.array(z.string())]),
  submittedAt: time,
  /** Since when it is in this state. */
  since: time,
  startedAt: time.optional(),
  finishedAt: time.optional(),
  exitCode: count.optional(),
  limit: exitLimit.optional(),
  /** Of the last attempt. */
  usage: usageView.optional(),
  failure: failureView.optional(),
  /** Of a failed task that is asked for alone: the last ten lines of stderr, at most 4 KiB, as the command wrote them. */
  stderrTail: z.string().optional(),
  /** Of a failed task: what prints its logs in full, and where they are on the host while its directory is there. */
  logs: z
    .object({ commands: z.array(z.string()), paths: z.array(z.string()).optional() })
    .optional(),
  blocked: blockedView.optional(),
  waitingOn: z.array(z.string()).optional(),
  outputs: z.array(outputView),
  /** It was not run: an earlier task did the same. */
  reused: z.object({ task: z.string() }).optional(),
  /** Why it was run although it may take what an earlier task made. */
  notReused: z.string().optional(),
  /** What stays on a host as inputs of other tasks. */
  shared: z.object({ host: z.string(), files: count, bytes: count }).optional(),
  cleanup: z.object({ policy: z.string(), state: z.enum(['none', 'pending', 'done', 'kept']) }),
  onFinish: onFinishView.optional(),
  remoteDir: z.string().optional(),
  streams: z.object({ stdout: streamView, stderr: streamView }),
  progress: progressView.optional(),
  tags: z.record(z.string(), z.string()),
  priority: count,
  asked: askedView,
  /** Earlier attempts, oldest first. */
  history: z.array(pastAttemptView).optional(),
});

export const submitView = z.object({ created: z.boolean(), tasks: z.array(taskView) });
export const taskListView = z.object({
  tasks: z.array(taskView),
  /** Tasks whose records are damaged: nothing is done for them. */
  unreadable: z.array(z.object({ id: z.string(), why: z.string() })).optional(),
  cursor: z.string().optional(),
});

export const eventView = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('event'),
    seq: count,
    at: time,
    task: z.string(),
    attempt: count,
    kind: z.string(),
    state: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
  z.object({
    type: z.literal('host'),
    seq: count,
    at: time,
    host: z.string(),
    mode: z.enum(HOST_MODES),
  }),
  /** Some events after `since` and up to `to` are not kept any more: see docs/limits.md. */
  z.object({ type: z.literal('gap'), since: count, to: count }),
  z.object({ type: z.literal('progress'), at: time, task: z.string(), progress: progressView }),
]);

export const imageView = z.object({
  reference: z.string(),
  path: z.string(),
  sha256: z.string().optional(),
  digest: z.string().optional(),
  bytes: count,
  pulledAt: time.optional(),
});
export const imageListView = z.object({ images: z.array(imageView) });
export const pruneView = z.object({
  dryRun: z.boolean(),
  images: z.array(
    z.object({
      reference: z.string(),
      path: z.string(),
      digest: z.string().optional(),
      bytes: count,
      /** When a task was last started from it; else when it came. */
      lastUsedAt: time,
    }),
  ),
  bytes: count,
  /** How many stay, by why. */
  kept: z.object({ inUse: count, recent: count }),
});

const fromTo = z.object({ from: z.string(), to: z.string() });
export const planView = z.object({
  host: z.string(),
  attemptDir: z.string(),
  /** Why this host; with `waits` the task would not be placed now. */
  choice: z.object({
    why: z.string(),
    waits: z.object({ reason: z.string(), message: z.string(), hint: z.string() }).optional(),
  }),
  image: z.object({ reference: z.string(), path: z.string() }),
  /** The candidates in the order in which they are tried. */
  images: z.array(z.object({ reference: z.string(), path: z.string() })),
  /** `files` and `bytes` are what would be sent; absent for what is on the host already. */
  inputs: z.array(fromTo.extend({ files: count.optional(), bytes: count.optional() })),
  directories: z.array(z.object({ path: z.string(), fate: z.string() })),
  cleanup: z.string(),
  outputs: z.array(fromTo),
  files: z.record(z.string(), z.string()),
  /** What sbatch would be told, and what the user should know of that. */
  job: z.object({ args: z.array(z.string()), notes: z.array(z.string()) }).optional(),
});

export const filesView = z.object({
  files: z.array(z.object({ name: z.string(), kind: z.string(), size: count })),
});
export const matchedFilesView = z.object({
  /** The path itself is a file; otherwise what stands below it or fits it. */
  single: z.boolean(),
  /** `path` can be asked for again, `to` is where it goes below the target. */
  files: z.array(z.object({ path: z.string(), to: z.string(), size: count })),
  directories: z.array(z.string()),
  /** Links and special files, which are not copied. */
  passedOver: z.array(z.string()),
});
const removalView = z.object({
  kind: z.string(),
  what: z.string(),
  host: z.string().optional(),
  count,
  /** As far as known. */
  bytes: count.optional(),
});
export const gcView = z.object({
  dryRun: z.boolean(),
  /** Tasks whose kept directories are being removed. */
  cleaned: z.array(z.string()),
  /** Tasks that were forgotten with their output. */
  forgotten: z.array(z.string()),
  removed: z.array(removalView),
  /** Hosts that could not be asked. */
  away: z.array(z.object({ host: z.string(), code: z.string(), message: z.string() })),
});
export const gcHistoryView = z.object({
  removals: z.array(removalView.extend({ at: time, daemon: z.string() })),
});
export const uploadView = z.object({ path: z.string(), bytes: count });
export const healthView = z.object({
  status: z.enum(['ok', 'failing']),
  version: z.string(),
  pid: count,
  uptimeSeconds: count,
  /** The state directory was made on another machine: shown, not changed. */
  readOnly: z.boolean(),
  store: z.object({ ok: z.boolean(), message: z.string().optional() }),
  stateDir: z.string().optional(),
});

export type ErrorView = z.infer<typeof errorView>;
export type TaskView = z.infer<typeof taskView>;
export type SubmitView = z.infer<typeof submitView>;
export type TaskListView = z.infer<typeof taskListView>;
export type EventView = z.infer<typeof eventView>;
export type ProgressView = z.infer<typeof progressView>;
export type ImageListView = z.infer<typeof imageListView>;
export type ImageView = z.infer<typeof imageView>;
export type PruneView = z.infer<typeof pruneView>;
export type PlanView = z.infer<typeof planView>;
export type FilesView = z.infer<typeof filesView>;
export type MatchedFilesView = z.infer<typeof matchedFilesView>;
export type GcView = z.infer<typeof gcView>;
export type GcHistoryView = z.infer<typeof gcHistoryView>;
export type UploadView = z.infer<typeof uploadView>;
export type HealthView = z.infer<typeof healthView>;
