/** What the configuration of a host says of its Slurm. */
import type { Condition } from '../../domain/slurm/condition.ts';

export interface SlurmPolicy {
  /** The name of the host, for messages. */
  host: string;
  partition?: string | undefined;
  partitionShort?: string | undefined;
  partitionGpu?: string | undefined;
  partitionFpga?: string | undefined;
  account?: string | undefined;
  qos?: string | undefined;
  constraint?: string | undefined;
  /** Words for every job. */
  args: readonly string[];
  /** Words for some jobs: those of the first rule that is true, or has no condition. */
  rules: readonly SbatchRule[];
  limits: readonly PartitionLimits[];
  jobPrefix: string;
  array: 'auto' | 'off';
  /** Tasks that one job may run one after the other; 0: none does. */
  pilotTasks: number;
  pilotWalltimeMs: number;
  submitConcurrency: number;
  /** Of one command of Slurm. */
  commandTimeoutMs: number;
  pollMinMs: number;
  pollMaxMs: number;
}

export interface SbatchRule {
  when?: Condition | undefined;
  args: readonly string[];
}

export interface PartitionLimits {
  partition: string;
  maxCpus?: number | undefined;
  maxMemoryBytes?: number | undefined;
  maxTimeMs?: number | undefined;
  over: 'deny' | 'clamp';
}
