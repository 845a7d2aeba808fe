/**
 * Brings published attempts to the scheduler of their host: those that come together and ask for the same share a
 * job, so that a thousand tasks cost it a handful of requests. An answer that was lost is not a refusal: whoever
 * asks again finds the batch noted with the attempt, and looks it up by its name.
 */
import PQueue from 'p-queue';
import { toAppError } from '../../domain/failure.ts';
import type { JobRecord } from '../../domain/state.ts';
import type { JobRequest } from '../../scheduler/scheduler.ts';
import { type Batch, batchDir, type JobTask } from '../../script/job.ts';
import { quoteSparingly } from '../../script/quote.ts';
import { parseSubmit, submitText } from '../../script/submit-job.ts';
import type { Logger } from '../logger.ts';
import { chunksOf } from './chunks.ts';
import type { SeatWithJobs } from './host-jobs.ts';

export interface Wanted {
  root: string;
  task: JobTask;
  request: JobRequest;
  /** For people who look at the queue. */
  comment?: string | undefined;
}

export interface Submitter {
  /** One more attempt is on its way to be submitted, until the returned function is called: others wait a moment for it. */
  expect(seat: SeatWithJobs): () => void;
  /** Publishes an attempt when it is its turn: what is asked of the host meanwhile waits for a few others only. */
  publish<T>(seat: SeatWithJobs, act: () => Promise<T>): Promise<T>;
  /**
   * The job that the attempt is in, once the scheduler has taken it.
   * @throws SLURM_* as the scheduler answered; SLURM_UNAVAILABLE when it may have taken it
   */
  submit(seat: SeatWithJobs, wanted: Wanted, signal: AbortSignal): Promise<JobRecord>;
  /** Resolves when no submit of this attempt is under way. */
  settled(token: string): Promise<void>;
}

interface SubmitterDeps {
  daemonId: string;
  nonce: () => string;
  now: () => number;
  log: Logger;
}

/** Who comes so soon after another one shares its job. */
const TOGETHER_MS = 150;
/** The first of many waits no longer, those that come after it longer and longer: work is on its way by then. */
const LONGEST_MS = { first: 5_000, cap: 40_000 };
/** As many as a host has slow lanes; what else goes there comes between. */
const PUBLISHED_AT_ONCE = 2;

interface Waiting extends Wanted {
  signal: AbortSignal;
  resolve: (job: JobRecord) => void;
  reject: (error: unknown) => void;
}

export function createSubmitter(deps: SubmitterDeps): Submitter {
  const lines = new Map<string, Line>();
  const underWay = new Map<string, Promise<unknown>>();

  function lineOf(seat: SeatWithJobs): Line {
    let line = lines.get(seat.name);
    if (line === undefined || line.seat !== seat) {
      line = new Line(seat, deps);
      lines.set(seat.name, line);
    }
    return line;
  }

  return {
    expect: (seat) => lineOf(seat).expect(),
    publish: (seat, act) => lineOf(seat).publishing.add(act),
    submit(seat, wanted, signal) {
      const { token } = wanted.task;
      const { result, over } = lineOf(seat).add(wanted, signal);
      underWay.set(token, over);
      void over.finally(() => {
        if (underWay.get(token) === over) underWay.delete(token);
      });
      return result;
    },
    async settled(token) {
      await underWay.get(token);
    },
  };
}

class Line {
  readonly seat: SeatWithJobs;
  readonly #deps: SubmitterDeps;
  readonly publishing = new PQueue({ concurrency: PUBLISHED_AT_ONCE });
  readonly #queue: PQueue;
  #waiting: Waiting[] = [];
  #expected = 0;
  #since = 0;
  #longestMs: number = LONGEST_MS.first;
  #timer: NodeJS.Timeout | undefined;

  constructor(seat: SeatWithJobs, deps: SubmitterDeps) {
    this.seat = seat;
    this.#deps = deps;
    this.#queue = new PQueue({ concurrency: seat.jobs.submitConcurrency });
  }

  expect(): () => void {
    if (this.#expected === 0) this.#longestMs = LONGEST_MS.first;
    this.#expected += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#expected -= 1;
      if (this.#waiting.length > 0) this.#soon();
    };
  }

  /** `over`: what is under way for it has ended, also when nobody waits for that any more. */
  add(wanted: Wanted, signal: AbortSignal): { result: Promise<JobRecord>; over: Promise<void> } {
    const ended = Promise.withResolvers<void>();
    const result = new Promise<JobRecord>((resolve, reject) => {
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          ended.resolve();
          settle(value);
        };
      this.#waiting.push({ ...wanted, signal, resolve: done(resolve), reject: done(reject) });
    });
    result.catch(() => {});
    if (this.#waiting.length === 1) this.#since = performance.now();
    this.#sendFull();
    if (this.#waiting.length > 0) this.#soon();
    return { result, over: ended.promise };
  }

  /** At once when nobody else is on the way here. */
  #soon(): void {
    clearTimeout(this.#timer);
    const left = this.#longestMs - (performance.now() - this.#since);
    const ms = this.#expected > 0 ? Math.max(0, left) : TOGETHER_MS;
    this.#timer = setTimeout(
      () => this.#go(),
      this.#waiting.length === 1 && this.#expected === 0 ? 0 : ms,
    );
  }

  /** A pilot that is full waits for nobody. */
  #sendFull(): void {
    const { pilot } = this.seat.jobs;
    if (pilot === undefined) return;
    const chunks = chunksOf(this.#waiting, this.seat.jobs);
    const [full, rest] = [true, false].map((isFull) =>
      chunks.filter(({ members }) => (members.length === pilot.tasks) === isFull),
    );
    if (full === undefined || full.length === 0) return;
    clearTimeout(this.#timer);
    this.#waiting = (rest ?? []).flatMap(({ members }) => members);
    this.#since = performance.now();
    this.#send(full.flatMap(({ members }) => members));
  }

  #go(): void {
    const all = this.#waiting;
    this.#waiting = [];
    this.#longestMs = Math.min(this.#longestMs * 2, LONGEST_MS.cap);
    this.#send(all);
  }

  #send(all: readonly Waiting[]): void {
    const wanted = all.filter((one) => {
      if (one.signal.aborted) one.reject(one.signal.reason);
      return !one.signal.aborted;
    });
    for (const chunk of chunksOf(wanted, this.seat.jobs)) {
      this.#queue
        .add(() => this.#submit(chunk.members, chunk.pilot))
        .catch((error: unknown) => {
          for (const one of chunk.members) one.reject(error);
        });
    }
  }

  async #submit(members: Waiting[], pilot: boolean): Promise<void> {
    const first = members[0];
    if (first === undefined) return;
    const { jobs, host, name: hostName } = this.seat;
    const { scheduler } = jobs;
    const place = {
      root: first.root,
      daemonId: this.#deps.daemonId,
      batch: this.#batchName(members),
    };
    const walltimeMs = pilot ? (jobs.pilot?.walltimeMs ?? allOf(members)) : undefined;
    const batch: Batch = { ...place, tasks: members.map(({ task }) => task), pilot, walltimeMs };
    const command = scheduler.submitCommand({
      request: first.request,
      name: scheduler.jobName(place.batch),
      count: pilot ? 1 : members.length,
      walltimeMs,
      comment: members.length === 1 ? first.comment : undefined,
      directory: batchDir(place),
    });
    const text = submitText({
      ...batch,
      command,
      nonce: this.#deps.nonce(),
      variables: scheduler.variables,
      idLine: scheduler.idLine,
      setup: scheduler.setup,
      unset: scheduler.unset,
      timeoutS: Math.ceil(jobs.timeoutMs / 1000),
    });
    const submittedAt = this.#deps.now();
    const deadlineMs = jobs.timeoutMs + 60_000;
    const purpose = `submitting a job for ${members.length === 1 ? first.task.token : `${members.length} attempts`}`;
    const reply = await host.run(text, { purpose, lane: 'slow', deadlineMs }).catch((thrown) => {
      throw toAppError(thrown);
    });
    const verdict = scheduler.judgeSubmit(parseSubmit(reply.output), hostName);
    if (verdict.kind !== 'accepted') throw verdict.error;
    const isArray = !pilot && members.length > 1;
    const left: string[] = [];
    for (const [index, one] of members.entries()) {
      const id = isArray ? `${verdict.id}_${index}` : verdict.id;
      const { notes } = one.request;
      one.resolve({
        ...{ id, name: scheduler.jobName(place.batch), batch: place.batch, index },
        ...(pilot && { pilot: true as const }),
        ...{ command: quoteSparingly(command), submittedAt },
        ...(notes.length > 0 && { notes: [...notes] }),
      });
      if (one.signal.aborted && !pilot) left.push(id);
    }
    if (left.length > 0) await this.#takeBack(left);
  }

  /** Cancelled while it was being submitted: its ticket is gone, so the job would only fill the queue. */
  async #takeBack(ids: string[]): Promise<void> {
    const { host, jobs } = this.seat;
    const text = jobs.scheduler.cancelText(ids);
    await host
      .run(text, { purpose: `ending jobs that nobody wants any more`, lane: 'slow' })
      .catch((err: unknown) =>
        this.#deps.log.warn({ host: this.seat.name, err }, 'cannot end a job'),
      );
  }

  /** Names one attempt where it is alone: people look for it in the queue. */
  #batchName(members: readonly Waiting[]): string {
    const nonce = this.#deps.nonce().slice(0, 8);
    const [only] = members;
    return members.length === 1 && only !== undefined
      ? `${only.task.token}-${nonce}`
      : `batch-${nonce}${this.#deps.nonce().slice(0, 8)}`;
  }
}

/** Long enough for all, one after the other; undefined where one has no limit. */
function allOf(members: readonly Waiting[]): number | undefined {
  const limits = members.map(({ task }) => task.timeLimitMs);
  return limits.every((ms) => ms > 0) ? limits.reduce((sum, ms) => sum + ms, 0) : undefined;
}
