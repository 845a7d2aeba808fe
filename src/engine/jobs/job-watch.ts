/**
 * Follows all jobs of a host together: one question for the queue, then one for those it does not list any more.
 * Questions come as often as something changes, and seldom when nothing does: the scheduler of a site is not ours
 * alone. What is not known is waited for.
 */
import { type AppError, toAppError } from '../../domain/failure.ts';
import type { JobRef, JobSight } from '../../scheduler/scheduler.ts';
import type { Logger } from '../logger.ts';
import { sleep } from '../sleep.ts';
import type { SeatWithJobs } from './host-jobs.ts';

export interface JobWatch {
  /**
   * Resolves with the first sight for which `isOver` holds; `tell` hears of every change before. Never rejects for
   * trouble with the host or the scheduler, which is a sight of its own.
   * @throws the signal's reason
   */
  watch(
    seat: SeatWithJobs,
    request: WatchedJob,
    isOver: (sight: JobSight) => boolean,
  ): Promise<JobSight>;
}

interface WatchedJob {
  job: JobRef;
  signal: AbortSignal;
  /** It is about to end: the next question comes soon. */
  soon?: boolean;
  tell?: (sight: JobSight) => void;
}

interface JobWatchDeps {
  log: Logger;
  pause?: typeof sleep;
  now?: () => number;
}

/** Of those that are not listed, so many are asked for in one go. */
const DETAILS_AT_ONCE = 40;
const GROWTH = 1.5;
/** Beyond what the commands themselves may take. */
const CALL_MS = 30_000;
/** The scheduler must say for so long, and so often, that it knows no such job. */
const DENIED = { times: 3, ms: 60_000 };

interface Watched {
  job: JobRef;
  last?: JobSight;
  denied?: { since: number; times: number };
  tell: (sight: JobSight) => void;
  isOver: (sight: JobSight) => boolean;
  resolve: (sight: JobSight) => void;
  leave: () => void;
}

export function createJobWatch(deps: JobWatchDeps): JobWatch {
  const loops = new Map<string, JobLoop>();
  return {
    watch(seat, { job, signal, tell, soon }, isOver) {
      let loop = loops.get(seat.name);
      if (loop === undefined || loop.seat !== seat) {
        loop = new JobLoop(seat, deps);
        loops.set(seat.name, loop);
      }
      if (soon === true) loop.hurry();
      return loop.add({ job, isOver, tell: tell ?? (() => {}) }, signal);
    },
  };
}

class JobLoop {
  readonly seat: SeatWithJobs;
  readonly #deps: JobWatchDeps;
  readonly #watched = new Set<Watched>();
  #running = false;
  /** What was seen of each job that is watched: whoever begins to watch one of them is no news. */
  #seen = new Map<string, string>();
  #pauseMs: number;
  #pause = new AbortController();
  #hurried = false;

  constructor(seat: SeatWithJobs, deps: JobWatchDeps) {
    this.seat = seat;
    this.#deps = deps;
    this.#pauseMs = seat.jobs.pollMs.min;
  }

  add(wanted: Pick<Watched, 'job' | 'isOver' | 'tell'>, signal: AbortSignal): Promise<JobSight> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        watched.leave();
        reject(signal.reason as Error);
      };
      const leave = (): void => {
        this.#watched.delete(watched);
        signal.removeEventListener('abort', abort);
        if (this.#watched.size === 0) this.#pause.abort();
      };
      const watched: Watched = { ...wanted, resolve, leave };
      this.#watched.add(watched);
      signal.addEventListener('abort', abort, { once: true });
      if (!this.#seen.has(keyOf(wanted.job))) this.hurry();
      void this.#run();
    });
  }

  /** The next question comes as soon as it may. */
  hurry(): void {
    if (!this.#hurried && this.#pauseMs > this.seat.jobs.pollMs.min) this.#pause.abort();
    this.#hurried = true;
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { pause = sleep, log } = this.#deps;
    const { min, max } = this.seat.jobs.pollMs;
    try {
      while (this.#watched.size > 0) {
        this.#pause = new AbortController();
        this.#hurried = false;
        await pause(this.#pauseMs, this.#pause.signal);
        if (this.#watched.size === 0) break;
        if (this.#hurried && this.#pauseMs > min) {
          this.#pauseMs = min;
          continue;
        }
        const moved = await this.#look().catch((thrown: unknown) => {
          const error = toAppError(thrown);
          log.debug({ host: this.seat.name, code: error.code }, error.message);
          return this.#cannotSee(error);
        });
        this.#pauseMs = moved || this.#hurried ? min : Math.min(max, this.#pauseMs * GROWTH);
      }
    } finally {
      this.#running = false;
    }
  }

  /** Asks once for all; true when something changed. */
  async #look(): Promise<boolean> {
    const batch = [...this.#watched];
    const jobs = batch.map(({ job }) => job);
    const { scheduler } = this.seat.jobs;
    const sights = scheduler.parseQueue(await this.#ask(scheduler.queueText()), jobs);
    await this.#askForMissing(jobs, sights);
    for (const [index, watched] of batch.entries()) this.#take(watched, sights[index]);
    return this.#isNews(jobs, sights);
  }

  #isNews(jobs: readonly JobRef[], sights: readonly JobSight[]): boolean {
    const before = this.#seen;
    this.#seen = new Map(jobs.map((job, index) => [keyOf(job), newsOf(sights[index])]));
    return [...this.#seen].some(([key, sight]) => before.get(key) !== sight);
  }

  async #askForMissing(jobs: readonly JobRef[], sights: JobSight[]): Promise<void> {
    const missing = sights.flatMap(({ kind }, index) => (kind === 'unlisted' ? [index] : []));
    const some = missing.slice(0, DETAILS_AT_ONCE);
    if (some.length === 0) return;
    const { scheduler } = this.seat.jobs;
    const asked = some.flatMap((index) => jobs[index] ?? []);
    const reply = await this.#ask(scheduler.detailText(asked));
    for (const [at, sight] of scheduler.parseDetail(reply, asked).entries())
      sights[some[at] ?? 0] = sight;
  }

  async #ask(text: string): Promise<string> {
    const { host, jobs } = this.seat;
    const deadlineMs = jobs.timeoutMs * 2 + CALL_MS;
    const options = { purpose: 'asking the scheduler', lane: 'slow', deadlineMs } as const;
    return (await host.run(text, options)).output;
  }

  #take(watched: Watched, found: JobSight | undefined): void {
    if (found === undefined || !this.#watched.has(watched)) return;
    const sight = this.#believe(watched, found);
    const changed = JSON.stringify(sight) !== JSON.stringify(watched.last);
    watched.last = sight;
    if (watched.isOver(sight)) {
      watched.leave();
      watched.resolve(sight);
    } else if (changed) watched.tell(sight);
  }

  /** One word of a controller that has just come back without its memory ends nothing. */
  #believe(watched: Watched, sight: JobSight): JobSight {
    if (sight.kind !== 'denied') {
      if (sight.kind !== 'unknown') delete watched.denied;
      return sight;
    }
    const now = (this.#deps.now ?? (() => performance.now()))();
    watched.denied ??= { since: now, times: 0 };
    watched.denied.times += 1;
    const { since, times } = watched.denied;
    if (times < DENIED.times || now - since < DENIED.ms) return sight;
    return { kind: 'ended', end: { why: 'forgotten', state: 'UNKNOWN', reason: sight.why } };
  }

  #cannotSee(error: AppError): boolean {
    for (const watched of [...this.#watched])
      this.#take(watched, { kind: 'unknown', why: error.message });
    return false;
  }
}

/** An estimate of a start changes all the time. */
function newsOf(sight: JobSight | undefined): string {
  return sight?.kind === 'pending' ? `pending ${sight.reason}` : JSON.stringify(sight);
}

function keyOf({ id, name }: JobRef): string {
  return `${id} ${name}`;
}
