/**
 * The words of the house. What comes in: nothing. What goes out: the types every room speaks of.
 * Never here: I/O, clocks, randomness, packages. Read next: state.ts, decide.ts.
 */
import type { FailureRecord } from './failure.ts';
import type { Cleanup, EndedState, ExitRecord, ReadyImage, TaskState } from './state.ts';

export type TaskId = string & { readonly brand: 'TaskId' };
/** `<taskId>.<n>`: names one attempt everywhere: directory, environment, events. */
export type AttemptToken = string & { readonly brand: 'AttemptToken' };
export type StreamName = 'stdout' | 'stderr';
export const STREAMS: readonly StreamName[] = ['stdout', 'stderr'];

/** argv runs as it stands; text is run by a shell of the image. */
export type Command =
  | { kind: 'argv'; argv: string[] }
  | { kind: 'text'; text: string; shell?: string };

/** Where the bytes of an input come from. Local paths are absolute paths of the submit host. */
export type InputSource =
  | { kind: 'file'; path: string }
  | { kind: 'directory'; path: string }
  | { kind: 'content'; base64: string }
  | { kind: 'remote'; path: string }
  /** What a storage has. With `directory` all below it. */
  | { kind: 'url'; url: string; directory: boolean }
  /** What another task has made: a path or pattern below its work directory. `task`: its id, before it is submitted also its name. */
  | { kind: 'output'; task: string; path: string };

/** `target` is relative to /mnt/task/inputs, or an absolute path in the container. */
export interface Input {
  source: InputSource;
  target: string;
}

/** `pattern` is a path or glob under the work directory, or absolute in one of the task's volumes. */
interface OutputPattern {
  pattern: string;
  overwrite: boolean;
  /** What of a path that a glob matched is not part of the name here; absent: all before the first wildcard. */
  prefix?: string | undefined;
  /** It may be missing. */
  optional?: true | undefined;
}

/** `local` is an absolute directory or file path of the submit host. */
export interface LocalOutput extends OutputPattern {
  local: string;
  url?: undefined;
}

/** `url` is the address in a storage of a file, or of what files are below. */
export interface StoredOutput extends OutputPattern {
  url: string;
  local?: undefined;
}

export type Output = LocalOutput | StoredOutput;

/** Files of the container instead of the streams: absolute paths. */
export interface Redirect {
  stdin?: string | undefined;
  stdout?: string | undefined;
  stderr?: string | undefined;
}

export interface Bind {
  source: string;
  target: string;
  readonly: boolean;
}

/** A writable layer over the image: one made for each attempt, one of the user's own, or none whatever the defaults say. */
export type Overlay =
  | { kind: 'made'; bytes: number }
  | { kind: 'own'; path: string; readonly: boolean }
  | { kind: 'none' };

/** With `newer` the registry is asked whether a tag moved, though the image is there. */
export type PullWhen = 'missing' | 'newer';
export type CleanupPolicy = 'always' | 'on-success' | 'never';
export type RetryReason = 'exit' | 'interrupted' | 'time-limit';

/** What only a host with scheduler = slurm can give. */
export interface SlurmAsk {
  partition?: string | undefined;
  account?: string | undefined;
  qos?: string | undefined;
  constraint?: string | undefined;
  nodes?: number | undefined;
  ntasksPerNode?: number | undefined;
  /** For the partition of short tasks. */
  short?: boolean | undefined;
  /** For the partition with FPGAs. */
  fpga?: boolean | undefined;
  /** Further options of sbatch, each `--name=value`. */
  args?: string[] | undefined;
}

/** A further command of a task, in a container of its own, with the same inputs and volumes. */
export interface Step {
  image: string;
  argv: string[];
  env: Record<string, string>;
  workdir?: string | undefined;
  redirect?: Redirect | undefined;
  /** The next one runs although this one failed. */
  goOn?: true | undefined;
}

/** What the user asked for. Immutable once submitted. */
export interface TaskSpec {
  name?: string | undefined;
  /** A configured host, or absent: the least loaded host that fits. */
  host?: string | undefined;
  /** Candidates in order; the first that can be had is used. */
  images: string[];
  /** Absent: as the host or the defaults have it. */
  pull?: PullWhen | undefined;
  command: Command;
  /** Where the command begins, absolute in the container; absent: the work directory. */
  workdir?: string | undefined;
  redirect?: Redirect | undefined;
  env: Record<string, string>;
  /** With `then`: the next command runs although this one failed. */
  goOn?: true | undefined;
  /** What runs after the command, in the same attempt, one after the other until one fails. */
  then?: Step[] | undefined;
  inputs: Input[];
  stdin?: InputSource | undefined;
  outputs: Output[];
  /** Paths or patterns below the work directory that stay on the host for other tasks. */
  share?: string[] | undefined;
  binds: Bind[];
  /** Absolute directories of the container that are the attempt's own: writable, and empty but for inputs that belong in them. */
  volumes?: string[] | undefined;
  cpus?: number | undefined;
  memoryBytes?: number | undefined;
  /** Whole devices. */
  gpus?: number | undefined;
  /** Tags the host must have. */
  require?: string[] | undefined;
  /** Absent: it goes to any kind of host. */
  slurm?: SlurmAsk | undefined;
  timeLimitMs?: number | undefined;
  /** Cap of each stream in bytes. */
  outputLimitBytes?: number | undefined;
  tmpDir?: string | undefined;
  /** Absent: as the host or the defaults have it. */
  overlay?: Overlay | undefined;
  fakeroot?: boolean | undefined;
  /** The runtime's own word for it: none, bridge, … */
  network?: string | undefined;
  /** A command for the user's shell on the submit host, run when the task has ended for good. */
  onFinish?: string | undefined;
  cleanup: CleanupPolicy;
  retries: number;
  retryOn: RetryReason[];
  /** Exit codes that count as success. */
  acceptExit: number[];
  runtimeArgs: string[];
  priority: number;
  /** Where one like it has succeeded before, that one's outputs are taken instead of running it. */
  reuse?: boolean | undefined;
  /** Tasks that must have succeeded before it starts: ids, and before it is submitted also names. */
  after?: string[] | undefined;
  held: boolean;
  tags: Record<string, string>;
}

/** Where the bytes come from, as people write it. */
export function sourceText(source: InputSource): string {
  switch (source.kind) {
    case 'content':
      return 'inline content';
    case 'remote':
      return `remote:${source.path}`;
    case 'url':
      return source.url;
    case 'output':
      return `workflow:///${source.task}/${source.path}`;
    case 'file':
    case 'directory':
      return source.path;
  }
}

/** Where an output goes, as people read it. */
export function destinationOf({ local, url }: Output): string {
  return local ?? url;
}

export function isLocalOutput(output: Output): output is LocalOutput {
  return output.local !== undefined;
}

/** True when something of what it makes is to be collected or kept. */
export function hasOutputs({ outputs, share = [] }: TaskSpec): boolean {
  return outputs.length > 0 || share.length > 0;
}

/** An attempt that is over, kept so that its directory is found again by gc and shown to the user. */
export interface PastAttempt {
  attempt: number;
  host?: string | undefined;
  /** The remote root it was launched in. */
  root?: string | undefined;
  image?: ReadyImage | undefined;
  result: EndedState['kind'];
  failure?: FailureRecord | undefined;
  exit?: ExitRecord | undefined;
  finishedAt: number;
  cleanup: Cleanup;
}

/** A task as stored: the spec, where it stands, and how often it changed. */
export interface Task {
  id: TaskId;
  spec: TaskSpec;
  state: TaskState;
  history: PastAttempt[];
  /** Grows by one with every committed change; a commit names the version it expects. */
  version: number;
  submittedAt: number;
  idempotencyKey?: string | undefined;
}

/** Names one attempt of a task. */
export function attemptToken(id: TaskId, attempt: number): AttemptToken {
  return `${id}.${attempt}` as AttemptToken;
}
