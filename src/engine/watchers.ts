/**
 * Follows all running attempts of a host together: one look asks for all of them, then only what
 * grew is read. Looks come fast while bytes flow, something just started or somebody follows, and
 * slowly when all is quiet. Whether an attempt has ended is judged by script/verdict.ts from files;
 * what cannot be seen is never an end.
 */
import { AppError, toAppError } from '../domain/failure.ts';
import type { LaunchRecord } from '../domain/state.ts';
import type { AttemptToken } from '../domain/task.ts';
import type { AttemptFacts, AttemptQuery } from '../script/status.ts';
import { parseStatus, statusText } from '../script/status.ts';
import { judge, type Verdict } from '../script/verdict.ts';
import type { Spool } from '../spool/spool.ts';
import type { Logger } from './logger.ts';
import { sizesOf, unseen } from './look.ts';
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

const FAST_MS = 30;
const FOLLOWED_CAP_MS = 250;
const QUIET_CAP_MS = 2_000;
/** Small, so that the end of a short command is seen soon after it. */
const GROWTH = 1.25;
/** After trouble the host is asked again this soon; its link has its own, slower pace. */
const TROUBLE_MS = 1_000;
const AWAY_CAP_MS = 60_000;
const FINE = 'fine';

interface Watched {
  request: WatchRequest;
  /** Made with the first look that sees the attempt: of thousands on a host that is away none is needed. */
  pump?: Pump;
  /** The code of the trouble that was told last, FINE for none: the same again is no news. */
  told?: string;
  previous: Verdict | undefined;
  isEnd: (seen: Seen) => boolean;
  resolve: (seen: Seen) => void;
  reject: (error: unknown) => void;
  /** Hears no more of its signal. */
  unhear: () => void;
  ending: boolean;
}

interface WatchersDeps {
  spool: Spool;
  log: Logger;
  /** Waits between two looks, or until the signal aborts. */
  pause?: typeof sleep;
}

/** Fetches of attempts that nobody watches any more, and that are not over yet. */
type Fetching = Map<AttemptToken, Promise<void>>;

export function createWatchers(deps: WatchersDeps): Watchers {
  const loops = new Map<string, WatchLoop>();
  const fetching: Fetching = new Map();
  const followed = new Map<AttemptToken, number>();
  const isFollowed = (token: AttemptToken): boolean => followed.has(token);

  return {
    watch(seat, request, isEnd) {
      let loop = loops.get(seat.name);
      if (loop === undefined || loop.seat !== seat) {
        loop = new WatchLoop(seat, { ...deps, fetching, isFollowed });
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

interface LoopDeps extends WatchersDeps {
  fetching: Fetching;
  isFollowed: (token: AttemptToken) => boolean;
}

class WatchLoop {
  readonly seat: Seat;
  readonly #deps: LoopDeps;
  readonly #watched = new Set<Watched>();
  #running = false;
  /** Why the last look saw nothing. */
  #trouble: AppError | undefined;
  #pauseMs = FAST_MS;
  #pause = new AbortController();

  constructor(seat: Seat, deps: LoopDeps) {
    this.seat = seat;
    this.#deps = deps;
    seat.host.onLinkState(({ kind }) => {
      if (kind === 'ready') this.hurry();
    });
  }

  add(request: WatchRequest, isEnd: (seen: Seen) => boolean): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => this.#leave(watched, () => reject(signal.reason as Error));
      const unhear = (): void => signal.removeEventListener('abort', abort);
      const rest = { isEnd, resolve, reject, unhear, ending: false };
      const watched: Watched = { request, previous: undefined, ...rest };
      this.#watched.add(watched);
      signal.addEventListener('abort', abort, { once: true });
      // A look that cannot be had is not tried once more for each of thousands that come meanwhile.
      if (this.#trouble === undefined) this.hurry();
      else void this.#tell(watched, this.#trouble);
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
        if (this.#watched.size === 0) break;
        this.#pauseMs = this.#nextPause(moved);
        this.#pause = new AbortController();
        await (this.#deps.pause ?? sleep)(this.#pauseMs, this.#pause.signal);
      }
    } finally {
      this.#running = false;
    }
  }

  /** One look at all; true when something moved, undefined when nothing could be seen. */
  async #look(): Promise<boolean> {
    const batch = [...this.#watched].filter((watched) => !watched.ending);
    if (batch.length === 0) return false;
    const queries = batch.map(
      ({ request }): AttemptQuery => ({
        dir: request.dir,
        nonce: request.launch?.nonce ?? '-',
        pid: request.launch?.pid ?? 0,
      }),
    );
    const { host: place, polls } = this.seat;
    const purpose = `looking at ${batch.length} running attempts`;
    const reply = await polls.poll(() => place.run(statusText(queries), { purpose }));
    const { host, attempts } = parseStatus(queries, reply.output);
    this.#trouble = undefined;
    let moved = false;
    for (const [index, watched] of batch.entries()) {
      const facts = attempts[index];
      if (facts === undefined) continue;
      const { request, previous } = watched;
      const verdict = judge({ host, facts, launch: request.launch, previous });
      watched.previous = verdict;
      // What is wrong with one attempt, here or there, is not the others'.
      const one = this.#take(watched, facts, verdict);
      if (await one.catch((error: unknown) => this.#tell(watched, toAppError(error)))) moved = true;
    }
    return moved;
  }

  /** Acts on what was seen of one attempt; true when it moved. @throws STORE_* */
  async #take(watched: Watched, facts: AttemptFacts, verdict: Verdict): Promise<boolean> {
    const { request } = watched;
    const pump = (watched.pump ??= this.#pumpOf(request));
    const sizes = sizesOf(facts);
    const grew = await pump.want(sizes);
    const trouble = pump.trouble() ?? unseen(request.launch, verdict, this.seat.name);
    await this.#say(watched, trouble);
    const seen = { verdict, killed: facts.killed };
    const isEnd = watched.isEnd(seen);
    if (isEnd) this.#finish(watched, pump, seen);
    return grew || (isEnd && trouble === undefined);
  }

  /** The end is told when the streams are here, however long that takes; others are looked at meanwhile. */
  #finish(watched: Watched, pump: Pump, seen: Seen): void {
    watched.ending = true;
    pump.drained().then(
      () => this.#leave(watched, () => watched.resolve(seen)),
      (error: unknown) => {
        // The pump tells of it at the next look.
        watched.ending = false;
        const failure = toAppError(error);
        if (failure.code === 'STORE_FULL') this.#leave(watched, () => watched.reject(failure));
      },
    );
  }

  #leave(watched: Watched, settle: () => void): void {
    if (!this.#watched.delete(watched)) return;
    watched.unhear();
    this.#letFinish(watched);
    settle();
    if (this.#watched.size === 0) this.#pause.abort();
  }

  #pumpOf(request: WatchRequest): Pump {
    const { spool, fetching } = this.#deps;
    const after = fetching.get(request.token) ?? Promise.resolve();
    return createPump({ seat: this.seat, spool, request, after });
  }

  /** Who watches the same attempt next fetches on from where this one has written to. */
  #letFinish({ pump, request: { token } }: Watched): void {
    if (pump === undefined) return;
    const { fetching } = this.#deps;
    const over = pump.stop().then(() => {
      if (fetching.get(token) === over) fetching.delete(token);
    });
    fetching.set(token, over);
  }

  /** A host that was closed is another one by now: whoever asks again is given that one. */
  async #tellAll(error: AppError): Promise<undefined> {
    this.#deps.log.debug({ host: this.seat.name, code: error.code }, error.message);
    this.#trouble = error;
    const closed = this.seat.host.linkState().kind === 'closed';
    const all = [...this.#watched];
    if (closed) for (const watched of all) this.#leave(watched, () => watched.reject(error));
    else await Promise.all(all.map((watched) => this.#tell(watched, error)));
    return undefined;
  }

  async #tell(watched: Watched, error: AppError): Promise<false> {
    await this.#say(watched, error).catch((err: unknown) => {
      this.#deps.log.error({ err }, 'cannot note trouble');
    });
    return false;
  }

  /** @throws STORE_* */
  async #say(watched: Watched, trouble: AppError | undefined): Promise<void> {
    const code = trouble?.code ?? FINE;
    if (watched.told === code) return;
    await watched.request.trouble(trouble);
    watched.told = code;
  }

  /** A host that is away is asked when its link has been tried again, not every second. */
  #troublePause(): number {
    const link = this.seat.host.linkState();
    if (!('nextTryAt' in link)) return TROUBLE_MS;
    return Math.max(TROUBLE_MS, Math.min(AWAY_CAP_MS, link.nextTryAt - Date.now()));
  }

  #nextPause(moved: boolean | undefined): number {
    if (moved === undefined) return this.#troublePause();
    if (moved) return FAST_MS;
    const someone = [...this.#watched].some(({ request }) => this.#deps.isFollowed(request.token));
    return Math.min(this.#pauseMs * GROWTH, someone ? FOLLOWED_CAP_MS : QUIET_CAP_MS);
  }
}
