/** How the scheduler of a host is used, from its configuration. */
import type { Scheduler } from '../../scheduler/scheduler.ts';
import type { Seat } from '../seats.ts';

export interface HostJobs {
  scheduler: Scheduler;
  /** Alike tasks share one job. */
  array: boolean;
  pilot?: { tasks: number; walltimeMs?: number | undefined } | undefined;
  submitConcurrency: number;
  pollMs: { min: number; max: number };
  /** Of one command of the scheduler. */
  timeoutMs: number;
}

/** A host whose tasks are jobs. */
export type SeatWithJobs = Seat & { readonly jobs: HostJobs };

export function hasJobs(seat: Seat): seat is SeatWithJobs {
  return seat.jobs !== undefined;
}
