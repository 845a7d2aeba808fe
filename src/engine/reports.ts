/** What the engine tells of hosts and what is on them. */
import type { FailureRecord } from '../domain/failure.ts';
import type { HostMode } from '../domain/host-mode.ts';
import type { GpuKind } from '../domain/state.ts';
import type { TaskId } from '../domain/task.ts';
import type { HostBudget, HostCounters, HostLinkState, LoginQuestion } from '../remote/host.ts';
import type { RootTrace } from '../script/forget.ts';
import type { PollUse } from './poll-pace.ts';

export interface HostReport {
  name: string;
  type: 'ssh' | 'local';
  /** user@hostname:port, or "this machine". */
  address: string;
  /** Its word of the configuration, `none` where tasks are started on the host itself. */
  scheduler: string;
  link: HostLinkState;
  /** What it may be used for just now, by the word of a person, and since when. */
  mode: HostMode;
  modeSince?: number | undefined;
  root: string;
  /** Known after the first contact. */
  facts?: HostFactsReport | undefined;
  slots: {
    maxTasks: number;
    usedTasks: number;
    cpus?: number | undefined;
    usedCpus: number;
    memoryBytes?: number | undefined;
    usedMemoryBytes: number;
    gpus?: number | undefined;
    usedGpus: number;
  };
  tags: string[];
  /** The GPUs that tasks may have, and which task has which. */
  gpus: {
    kind: GpuKind;
    device: string;
    name?: string | undefined;
    memoryBytes?: number | undefined;
    task?: TaskId | undefined;
  }[];
  counters: HostCounters;
  /** What the host may be asked for; nothing for a host that needs no logins. */
  budget?: (HostBudget & { polls: PollUse }) | undefined;
  /** Last failure seen on this host. */
  lastFailure?: FailureRecord | undefined;
}

export interface HostFactsReport {
  hostname: string;
  user: string;
  root: string;
  cpus: number;
  memoryBytes: number;
  freeBytes: number;
  rootFsType: string;
  runtime?: { path: string; version: string } | undefined;
  clockSkewMs: number;
}

/** What of ours is on a host, root by root; after a removal, what was removed and what is left. */
export interface ForgetReport {
  host: string;
  dryRun: boolean;
  mode: HostMode;
  roots: RootTrace[];
  /** A directory of images outside the root: it may be shared, and is left. */
  imageCacheDir?: string | undefined;
}

export interface ImageReport {
  reference: string;
  path: string;
  sha256?: string | undefined;
  /** What the registry calls it. */
  digest?: string | undefined;
  bytes: number;
  pulledAt?: number | undefined;
}

/** Whether to look, to say what would be done, or to do it; and where the runtime is to keep its files. */
export interface SetupRequest {
  act: 'check' | 'print' | 'install';
  cacheDir?: string | undefined;
  tmpDir?: string | undefined;
}

/** What the set-up script says on the host; its end is the last, with the reason when it failed. */
export type SetupNews =
  | { type: 'text'; text: string }
  | { type: 'end'; code: number; failure?: FailureRecord | undefined };

/** A step of a login: what the host asks, or how it stands when nothing more is asked. */
export type LoginReport =
  | { done: true; host: HostReport }
  | { done: false; session: string; question: LoginQuestion };
