/**
 * Follows all running attempts of a host together: one look asks for all of them, then only what
 * grew is read. Looks come fast while bytes flow, something just started or somebody follows, and
 * slowly when all is quiet. Whether an attempt has ended is judged by script/verdict.ts from files;
 * what cannot be seen is never an end.
 */
import { AppError, toAppError } from '../domain/failure.ts';
import type { AttemptToken } from '../domain/task.ts';
import type { AttemptFacts } from '../script/status.ts';
import { judge, type Verdict } from '../script/verdict.ts';
import type { Spool } from '../spool/spool.ts';
import { knownAfter, turnOf } from './glance.ts';
import { lookAt } from './host-look.ts';
import type { Logger } from './logger.ts';
import { sizesOf, unseen } from './look.ts';
import { createLookPace } from './look-pace.ts';
import type { Seat } from './seats.ts';
import { sleep } from './sleep.ts';
import { createPump, type Pump } from './stream-pump.ts';
import { createTicketTurns, type Turns } from './ticket-turns.ts';
import { FINE, type Seen, type Watched, type WatchRequest } from './watched.ts';

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

const FOLLOWED_CAP_MS = 250;
const QUIET_CAP_MS = 2_000;
/** Of a daemon with hundreds of hosts each look takes its time from all others. */
const QUIET_EACH_MS = 10;
/** After trouble the host is asked again this soon; its link has its own, slower pace. */
const TROUBLE_MS = 1_000;
const AWAY_CAP_MS = 60_000;

interface WatchersDeps {
  spool: Spool;
  log: Logger;
  /** Waits between two looks, or until the signal aborts. */
  pause?: typeof sleep;
  now?: () => number;
}

/** Fetches of attempts that nobody watches any more, and that are not over yet. */
type Fetching = Map<AttemptToken, Promise<void>>;

export function createWatchers(deps: WatchersDeps): Watchers {
  const loops = new Map<string, WatchLoop>();
  const fetching: Fetching = new Map();
  const followed = new Map<AttemptToken, number>();
  const isFollowed = (token: AttemptToken): boolean => followed.has(token);
  const quietCapMs = (): number => {
    const hosts = [...loops.values()].filter(({ isIdle }) => !isIdle).length;
    return Math.max(QUIET_CAP_MS, hosts * QUIET_EACH_MS);
  };

  return {
    watch(seat, request, isEnd) {
      let loop = loops.get(seat.name);
      if (loop === undefined || loop.seat !== seat) {
        loop = new WatchLoop(seat, { ...deps, fetching, isFollowed, quietCapMs });
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
  quietCapMs: () => number;
}

class WatchLoop {
  readonly seat: Seat;
  readonly #deps: LoopDeps;
  readonly #watched = new Set<Watched>();
  readonly #turns: Turns<Watched>;
  readonly #now: () => number;
  #running = false;
  /** Why the last look saw nothing. */
  #trouble: AppError | undefined;
  readonly #pace = createLookPace();
  #pause = new AbortController();

  constructor(seat: Seat, deps: LoopDeps) {
    this.seat = seat;
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
    this.#turns = createTicketTurns(this.#now);
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
      const rest = { isEnd, resolve, reject, unhear, ending: false, sinceMs: this.#now() };
      const { isQueued = () => false } = request;
      const isWaiting = request.isQueued !== undefined;
      const watched: Watched = { request, previous: undefined, isQueued, isWaiting, ...rest };
      this.#watched.add(watched);
      signal.addEventListener('abort', abort, { once: true });
      // A look that cannot be had is not tried once more for each of thousands that come meanwhile.
      if (this.#trouble !== undefined) void this.#tell(watched, this.#trouble);
      else if (request.isFresh !== true || this.#pace.first() === 0) this.hurry();
      else return void this.#lookSoon();
      void this.#run();
    });
  }

  /** As soon as there may be something to see of what has just begun. */
  async #lookSoon(): Promise<void> {
    await (this.#deps.pause ?? sleep)(this.#pace.first());
    this.hurry();
    void this.#run();
  }

  /** Nothing is watched there. */
  get isIdle(): boolean {
    return this.#watched.size === 0;
  }

  /** Looks again at once. */
  hurry(): void {
    this.#pace.hurry();
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
        const pauseMs = this.#nextPause(moved);
        this.#pause = new AbortController();
        await (this.#deps.pause ?? sleep)(pauseMs, this.#pause.signal);
      }
    } finally {
      this.#running = false;
    }
  }

  /** One look at all; true when something moved, undefined when nothing could be seen. */
  async #look(): Promise<boolean> {
    const batch = [...this.#watched].filter(({ ending }) => !ending);
    const { full = [], waiting = [] } = Object.groupBy(batch, (watched) =>
      watched.isWaiting ? 'waiting' : 'full',
    );
    const tickets = this.#turns.pick(waiting);
    const { asked, left } = turnOf(full);
    if (asked.length + tickets.length === 0) return false;
    if (left) this.#putLast(asked);
    // as long as there are some that have had no look at all
    const soon = left && asked.some(({ previous }) => previous === undefined);
    const look = await lookAt(this.seat, { full: asked, tickets, now: this.#now });
    const { seen, taken } = look;
    this.#pace.took(look.answeredMs);
    this.#trouble = undefined;
    for (const watched of taken) watched.isWaiting = false;
    let moved = soon || taken.length > 0;
    for (const { one: watched, facts, host } of seen) {
      const { request, previous } = watched;
      const verdict = judge({
        ...{ host, facts, launch: request.launch, previous },
        byJob: request.launch?.job !== undefined,
      });
      watched.previous = verdict;
      watched.known = knownAfter(watched.known, { facts, verdict, nowMs: this.#now() });
      watched.isWaiting = request.isQueued !== undefined && verdict.kind === 'not-started';
      // What is wrong with one attempt, here or there, is not the others'.
      const one = this.#take(watched, facts, verdict);
      if (await one.catch((error: unknown) => this.#tell(watched, toAppError(error)))) moved = true;
    }
    return moved;
  }

  /** The turn of others comes first in the next look, whatever these come to. */
  #putLast(asked: readonly Watched[]): void {
    for (const watched of asked) if (this.#watched.delete(watched)) this.#watched.add(watched);
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
    if (isEnd && request.isFresh === true) this.#pace.lasted(this.#now() - watched.sinceMs);
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
    for (const watched of this.#watched) delete watched.known;
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
    const someone = [...this.#watched].some(({ request }) => this.#deps.isFollowed(request.token));
    const capMs = someone ? FOLLOWED_CAP_MS : this.#deps.quietCapMs();
    return this.#pace.next({ moved, capMs });
  }
}
