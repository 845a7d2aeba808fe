/** What jobs used, as the scheduler's accounting knows it: jobs that end together are asked for together. */
import { toAppError } from '../../domain/failure.ts';
import type { JobRecord } from '../../domain/state.ts';
import type { JobUsage } from '../../scheduler/scheduler.ts';
import type { Logger } from '../logger.ts';
import { sleep } from '../sleep.ts';
import type { SeatWithJobs } from './host-jobs.ts';

/** Undefined where nothing is known, at once where accounting is off. Never rejects. */
export type AskUsage = (seat: SeatWithJobs, job: JobRecord) => Promise<JobUsage | undefined>;

/** Accounting writes what a job used when it has ended. */
const TOGETHER_MS = 1_500;
/** Somebody may switch it on. */
const OFF_MS = 3_600_000;

export function createAskUsage({
  log,
  pause = sleep,
}: {
  log: Logger;
  pause?: typeof sleep;
}): AskUsage {
  const asking = new WeakMap<SeatWithJobs, { jobs: JobRecord[]; answer: Promise<Answers> }>();
  const offUntil = new WeakMap<SeatWithJobs, number>();

  async function ask(seat: SeatWithJobs, jobs: readonly JobRecord[]): Promise<Answers> {
    await pause(TOGETHER_MS);
    asking.delete(seat);
    const { scheduler, timeoutMs } = seat.jobs;
    const text = scheduler.usageText(jobs.map(({ id }) => id));
    const options = {
      purpose: 'asking what jobs used',
      lane: 'slow',
      deadlineMs: timeoutMs + 30_000,
    } as const;
    try {
      const used = scheduler.parseUsage((await seat.host.run(text, options)).output, jobs);
      if (used === undefined) offUntil.set(seat, performance.now() + OFF_MS);
      return used ?? new Map();
    } catch (thrown) {
      const { code, message } = toAppError(thrown);
      log.debug({ host: seat.name, code }, message);
      return new Map();
    }
  }

  return async (seat, job) => {
    if (performance.now() < (offUntil.get(seat) ?? 0)) return undefined;
    let line = asking.get(seat);
    if (line === undefined) {
      const jobs: JobRecord[] = [];
      line = { jobs, answer: ask(seat, jobs) };
      asking.set(seat, line);
    }
    line.jobs.push(job);
    return (await line.answer).get(job.id);
  };
}

type Answers = Map<string, JobUsage>;
