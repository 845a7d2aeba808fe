/**
 * Follows all running attempts of a host together: one look asks for all of them, then only what
 * grew is read. Looks come fast while bytes flow, something just started or somebody follows, and
 * slowly when all is quiet. Whether an attempt has ended is judged by script/verdict.ts from files;
 * what cannot be seen is never an end.
 */
import { type AppError, toAppError } from '../domain/failure.ts';
import type { LaunchRecord } from '../domain/state.ts';
import type { AttemptToken } from '../domain/task.ts';
import type { AttemptQuery } from '../script/status.ts';
import { parseStatus, statusText } from '../script/status.ts';
import { judge, type Verdict } from '../script/verdict.ts';
import type { Spool } from '../spool/spool.ts';
import type { Logger } from './logger.ts';
import type { Seat } from './seats.ts';
import { sleep } from './sleep.ts';
import { createPump, type Pump } from './stream-pump.ts';

export interface WatchRequest {
  token: AttemptToken;
  dir: string;
  launch?: LaunchRecord | undefined;
  signal: AbortSignal;
  trouble: (error: AppError | undefined) => Promise<void>;
}

/** A verdict to act on; both streams have been read as far as they were when it was made. */
export interface Seen {
  verdict: Verdict;
  killed: boolean;
}

export interface Watchers {
  /**
   * Resolves with the first look after which `isEnd` holds, once the streams are here up to it.
   * Never rejects for trouble with the host: it tells it and looks on.
   * @throws the signal's reason; STORE_FULL
   */
  watch(seat: Seat, request: WatchRequest, isEnd: (seen: Seen) => boolean): Promise<Seen>;
  /** Somebody follows this attempt until the returned function is called. */
  interest(token: AttemptToken): () => void;
}

const FAST_MS = 40;
const FOLLOWED_CAP_MS = 250;
const QUIET_CAP_MS = 2_000;
const GROWTH = 1.4;
/** After trouble the host is asked again this soon; its link has its own, slower pace. */
const TROUBLE_MS = 1_000;

interface Watched {
  request: WatchRequest;
  pump: Pump;
  previous: Verdict | undefined;
  isEnd: (seen: Seen) => boolean;
  resolve: (seen: Seen) => void;
  reject: (error: unknown) => void;
  ending: boolean;
}

interface WatchersDeps {
  spool: Spool;
  log: Logger;
  now: () => number;
}

export function createWatchers(deps: WatchersDeps): Watchers {
  const loops = new Map<string, WatchLoop>();
  const followed = new Map<AttemptToken, number>();
  const isFollowed = (token: AttemptToken): boolean => followed.has(token);

  return {
    watch(seat, request, isEnd) {
      let loop = loops.get(seat.name);
      if (loop === undefined || loop.seat !== seat) {
        loop = new WatchLoop(seat, deps, isFollowed);
        loops.set(seat.name, loop);
      }
      return loop.add(request, isEnd);
    },
    interest(token) {
      followed.set(token, (followed.get(token) ?? 0) + 1);
      for (const loop of loops.values()) loop.hurry();
      return () => {
        const left = (followed.get(token) ?? 1) - 1;
        if (left > 0) followed.set(token, left);
        else followed.delete(token);
      };
    },
  };
}

class WatchLoop {
  readonly seat: Seat;
  readonly #deps: WatchersDeps;
  readonly #isFollowed: (token: AttemptToken) => boolean;
  readonly #watched = new Set<Watched>();
  #running = false;
  #pauseMs = FAST_MS;
  #pause = new AbortController();

  constructor(seat: Seat, deps: WatchersDeps, isFollowed: (token: AttemptToken) => boolean) {
    this.seat = seat;
    this.#deps = deps;
    this.#isFollowed = isFollowed;
  }

  add(request: WatchRequest, isEnd: (seen: Seen) => boolean): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const pump = createPump({ seat: this.seat, spool: this.#deps.spool, request });
      const watched = { request, pump, previous: undefined, isEnd, resolve, reject, ending: false };
      const { signal } = request;
      if (signal.aborted) return reject(signal.reason as Error);
      this.#watched.add(watched);
      signal.addEventListener(
        'abort',
        () => this.#leave(watched, () => reject(signal.reason as Error)),
        {
          once: true,
        },
      );
      this.hurry();
      void this.#run();
    });
  }

  /** Looks again at once. */
  hurry(): void {
    this.#pauseMs = FAST_MS;
    this.#pause.abort();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#watched.size > 0) {
        const moved = await this.#look().catch((error: unknown) =>
          this.#tellAll(toAppError(error)),
        );
        this.#pauseMs = this.#nextPause(moved);
        this.#pause = new AbortController();
        await sleep(this.#pauseMs, this.#pause.signal);
      }
    } finally {
      this.#running = false;
    }
  }

  /** One look at all; true when something moved, undefined when nothing could be seen. */
  async #look(): Promise<boolean> {
    const batch = [...this.#watched].filter((watched) => !watched.ending);
    if (batch.length === 0) return true;
    const queries = batch.map(
      ({ request }): AttemptQuery => ({
        dir: request.dir,
        nonce: request.launch?.nonce ?? '-',
        pid: request.launch?.pid ?? 0,
      }),
    );
    const reply = await this.seat.host.run(statusText(queries), {
      purpose: `looking at ${batch.length} running attempts`,
    });
    const { host, attempts } = parseStatus(queries, reply.output);
    let moved = false;
    for (const [index, watched] of batch.entries()) {
      const facts = attempts[index];
      if (facts === undefined) continue;
      const { previous, request, pump } = watched;
      const verdict = judge({ host, facts, launch: request.launch, previous });
      watched.previous = verdict;
      const sizes = { stdout: facts.stdoutBytes ?? 0, stderr: facts.stderrBytes ?? 0 };
      if (await pump.want(sizes)) moved = true;
      const seen = { verdict, killed: facts.killed };
      if (watched.isEnd(seen)) {
        moved = true;
        this.#finish(watched, seen);
      } else await request.trouble(pump.takeTrouble());
    }
    return moved;
  }

  /** The end is told when the streams are here, however long that takes; others are looked at meanwhile. */
  #finish(watched: Watched, seen: Seen): void {
    watched.ending = true;
    watched.pump.drained().then(
      () => this.#leave(watched, () => watched.resolve(seen)),
      (error: unknown) => {
        watched.ending = false;
        const failure = toAppError(error);
        if (failure.code === 'STORE_FULL') this.#leave(watched, () => watched.reject(failure));
      },
    );
  }

  #leave(watched: Watched, settle: () => void): void {
    if (!this.#watched.delete(watched)) return;
    watched.pump.stop();
    settle();
    this.#pause.abort();
  }

  async #tellAll(error: AppError): Promise<undefined> {
    this.#deps.log.debug({ host: this.seat.name, code: error.code }, error.message);
    for (const { request } of this.#watched) {
      await request.trouble(error).catch((err: unknown) => {
        this.#deps.log.error({ err }, 'cannot note trouble');
      });
    }
    return undefined;
  }

  #nextPause(moved: boolean | undefined): number {
    if (moved === undefined) return TROUBLE_MS;
    if (moved) return FAST_MS;
    const someone = [...this.#watched].some(({ request }) => this.#isFollowed(request.token));
    return Math.min(this.#pauseMs * GROWTH, someone ? FOLLOWED_CAP_MS : QUIET_CAP_MS);
  }
}
