/** What the engine must know of its configuration; main.ts makes it from the configuration's value. */
import type { CleanupPolicy, PullWhen } from '../domain/task.ts';
import type { Host } from '../remote/host.ts';
import type { HostJobs } from './jobs/host-jobs.ts';

export interface HostPolicy {
  name: string;
  type: 'ssh' | 'local';
  /** Of a host whose scheduler runs the tasks. */
  jobs?: HostJobs | undefined;
  /** For people: user@hostname:port. */
  address: string;
  /** The whole of its configuration: another one means another host. */
  configured: string;
  enabled: boolean;
  /** As configured: `~`, $HOME, $USER and $SCRATCH are expanded on the host. */
  root: string;
  maxTasks: number;
  cpus?: number | undefined;
  memoryBytes?: number | undefined;
  gpus?: number | undefined;
  tags: string[];
  runtime: string;
  runtimeArgs: string[];
  setup?: string | undefined;
  imageCacheDir?: string | undefined;
  /** As configured, like root. */
  tmpDir?: string | undefined;
  /** 0: none; absent: as the defaults say. */
  overlayBytes?: number | undefined;
  imageSource: 'pull' | 'upload' | 'auto';
  /** A name, or `local` for this machine. */
  imageFrom?: string | undefined;
  /** Registries spoken to over plain HTTP. */
  insecureRegistries: string[];
  pull: {
    /** Absent: as the defaults say. */
    when?: PullWhen | undefined;
    /** How long the answer about a tag counts. */
    askEveryMs?: number | undefined;
    attempts: number;
    backoffMs: number;
    backoffCapMs: number;
    timeoutMs: number;
    maxConcurrent: number;
    /** How long what a pull gave up for is told again before it is tried again. */
    memory: { firstMs: number; capMs: number };
    priority?: 'low' | 'normal' | undefined;
    /** With less free nothing is begun. */
    minFreeBytes?: number | undefined;
    /** The login for a registry as a Docker config.json, read anew for each pull. @throws REGISTRY_AUTH_INVALID */
    login?: ((registry: string) => Promise<string | undefined>) | undefined;
  };
  transferLinks: number;
  pollsPerSecond: number;
}

/** The server that has the objects of s3:// addresses. */
export interface S3Settings {
  endpoint: string;
  region: string;
  /** Read anew for each use; undefined: requests are not signed. */
  keys: () => Promise<S3Keys | { trouble: string } | undefined>;
}

export interface S3Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Bounds of the daemon itself. */
export interface DaemonLimits {
  /** Tasks that have not ended. */
  queue: number;
  minFreeBytes: number;
  keepEventsMs: number;
  eventsMax: number;
  /** How long the command for the end of a task may take, and how many run at once. */
  hookMs: number;
  hooks: number;
}

export interface EngineSettings {
  limits: DaemonLimits;
  defaults: {
    host?: string | undefined;
    cleanup: CleanupPolicy;
    outputLimitBytes: number;
    timeLimitMs?: number | undefined;
    keepFailedMs: number;
    /** How long an ended task is known, once nothing of it is on a host. */
    keepTasksMs: number;
    collectLimitBytes: number;
    stopGraceMs: number;
    shell?: string | undefined;
    /** Of tasks that name none, where the configuration says so itself. */
    images?: readonly string[] | undefined;
    /** Absent: missing. */
    pullWhen?: PullWhen | undefined;
    /** 0 or absent: none. */
    overlayBytes?: number | undefined;
  };
  /** Absent: there is no such storage. */
  s3?: S3Settings | undefined;
  hosts: { policy: HostPolicy; open: () => Host }[];
  /** This machine, where no host is of type local: it has images for others, and no tasks. */
  thisMachine?: { policy: HostPolicy; open: () => Host } | undefined;
}
