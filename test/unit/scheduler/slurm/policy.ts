/** A Slurm for tests, with nothing configured but what is given. */
import type { SlurmPolicy } from '../../../../src/scheduler/slurm/policy.ts';

export function aPolicy(more: Partial<SlurmPolicy> = {}): SlurmPolicy {
  return {
    host: 'hpc',
    args: [],
    rules: [],
    limits: [],
    jobPrefix: 'towline',
    array: 'auto',
    pilotTasks: 0,
    pilotWalltimeMs: 3_600_000,
    submitConcurrency: 4,
    commandTimeoutMs: 60_000,
    pollMinMs: 2_000,
    pollMaxMs: 30_000,
    ...more,
  };
}
