/**
 * The daemon: a store that keeps what was committed, and a memory that a crash takes away. Order of
 * acts as in src/engine: an event waits for its task's turn, is judged, committed, then its orders
 * are carried out (ledger.ts, dispatcher.ts, placer.ts).
 */
import { backoffMs } from '../../src/domain/backoff.ts';
import type { Effect } from '../../src/domain/effects.ts';
import type { NewsEvent, TaskEvent } from '../../src/domain/events.ts';
import { AppError, toAppError } from '../../src/domain/failure.ts';
import { place } from '../../src/domain/placement.ts';
import type { Task, TaskId } from '../../src/domain/task.ts';
import { RETRY } from '../../src/engine/dispatcher.ts';
import type { LiveTask } from '../../src/engine/live-tasks.ts';
import { roomsOf } from '../../src/engine/rooms.ts';
import type { Seat } from '../../src/engine/seats.ts';
import { whereIs } from '../../src/engine/where.ts';
import type { Change } from '../../src/store/store.ts';
import type { PayloadPlan } from './host-programs.ts';
import type { Host } from './model-host.ts';
import { type Ask, STEPS, type Steps } from './model-steps.ts';
import type { Call, Network } from './network.ts';
import type { Oracle } from './oracle.ts';
import type { Item, World } from './world.ts';

interface Job {
  key: string;
  id: TaskId;
  effect: Effect;
  aborted: boolean;
  tries: number;
  steps: Steps | undefined;
  call: Call | undefined;
  timer: Item | undefined;
  /** It waits for its next try, and for its host. */
  waitsFor: string | undefined;
}

interface Pending {
  event: TaskEvent;
  /** Absent: it was committed or ignored. */
  done: (error: AppError | undefined) => void;
}

const PLACER_AFTER_FAILURE_MS = 5_000;

export class Daemon {
  up = false;
  storeFull = false;
  /** Incarnation: what an earlier one began is forgotten. */
  life = 0;
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #network: Network;
  readonly #plans: ReadonlyMap<TaskId, PayloadPlan>;
  readonly #seats: Seat[];
  #jobs = new Map<string, Job>();
  #queues = new Map<TaskId, Pending[]>();
  /** Only with that guard taken away: what is carried out and not on disk. */
  readonly #ahead = new Map<TaskId, LiveTask>();
  #placing = false;
  #placeAgain = false;

  constructor(parts: {
    world: World;
    oracle: Oracle;
    network: Network;
    plans: ReadonlyMap<TaskId, PayloadPlan>;
    hosts: readonly Host[];
  }) {
    this.#world = parts.world;
    this.#oracle = parts.oracle;
    this.#network = parts.network;
    this.#plans = parts.plans;
    this.#seats = parts.hosts.map(seatOf);
  }

  start(): void {
    if (this.up) return;
    this.up = true;
    this.life += 1;
    this.#world.note(() => 'the daemon starts');
    for (const [id, { orders }] of this.#oracle.rows) this.#sync(id, orders);
    this.lookForRoom();
  }

  /** kill -9. */
  crash(): void {
    this.up = false;
    for (const job of this.#jobs.values()) this.#let(job);
    this.#jobs = new Map();
    this.#queues = new Map();
    this.#ahead.clear();
    this.#placing = false;
    this.#placeAgain = false;
  }

  submit(task: Task): void {
    this.#commit(undefined, { task, events: [], effects: [] });
  }

  /** What a person asks; a refusal is an answer. */
  ask(id: TaskId, event: TaskEvent): void {
    if (this.up) this.#apply(id, event, () => {});
  }

  hostCameBack(host: string): void {
    if (!this.up) return;
    for (const job of this.#jobs.values()) {
      if (job.waitsFor !== host) continue;
      this.#world.drop(job.timer);
      job.tries = 0;
      this.#begin(job);
    }
    this.lookForRoom();
  }

  #later(ms: number, act: () => void): Item {
    const { life } = this;
    return this.#world.later(ms, () => {
      if (this.up && this.life === life) act();
    });
  }

  now(): number {
    return this.#world.now + this.#world.clockSkew;
  }

  #apply(id: TaskId, event: TaskEvent, done: Pending['done']): void {
    let queue = this.#queues.get(id);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(id, queue);
    }
    queue.push({ event, done });
    this.#later(0, () => this.#turn(id));
  }

  #turn(id: TaskId): void {
    const pending = this.#queues.get(id)?.shift();
    const row = this.#oracle.rows.get(id);
    if (pending === undefined || row === undefined) return;
    const judged = this.#world.guards.advance(row, pending.event, this.now());
    if (judged.kind === 'next') {
      if (this.storeFull) return pending.done(new AppError('STORE_FULL', 'no space'));
      if (this.#world.guards.commitBeforeAct) this.#commit(row, judged.change);
      else {
        const { task, effects } = judged.change;
        this.#ahead.set(id, { task, orders: effects });
        this.#sync(id, effects);
        this.#later(200, () => {
          this.#ahead.delete(id);
          if (this.#oracle.rows.get(id) === row) this.#commit(row, judged.change);
        });
      }
    }
    pending.done(undefined);
  }

  #commit(before: LiveTask | undefined, change: Change): void {
    this.#oracle.committed(before, change);
    if (!this.up) return;
    this.#sync(change.task.id, change.effects);
    this.lookForRoom();
  }

  #sync(id: TaskId, orders: readonly Effect[]): void {
    const wanted = new Map(
      orders.map((effect) => [`${id}.${effect.attempt}:${effect.kind}`, effect]),
    );
    for (const [key, job] of this.#jobs) {
      if (job.id !== id || wanted.has(key)) continue;
      this.#jobs.delete(key);
      this.#let(job);
    }
    for (const [key, effect] of wanted) {
      if (this.#jobs.has(key)) continue;
      const job: Job = {
        key,
        id,
        effect,
        aborted: false,
        tries: 0,
        steps: undefined,
        call: undefined,
        timer: undefined,
        waitsFor: undefined,
      };
      this.#jobs.set(key, job);
      this.#begin(job);
    }
  }

  #let(job: Job): void {
    job.aborted = true;
    this.#world.drop(job.timer);
    if (job.call !== undefined) this.#network.giveUp(job.call);
  }

  #begin(job: Job): void {
    job.waitsFor = undefined;
    job.timer = this.#later(0, () => {
      const row = this.#ahead.get(job.id) ?? this.#oracle.rows.get(job.id);
      const plan = this.#plans.get(job.id);
      if (row === undefined || plan === undefined) return;
      const { attempt, kind } = job.effect;
      const parts = { world: this.#world, oracle: this.#oracle, plan, now: () => this.now() };
      job.steps = STEPS[kind]({ ...parts, task: row.task, attempt });
      this.#goOn(job, (steps) => steps.next());
    });
  }

  #goOn(job: Job, act: (steps: Steps) => IteratorResult<Ask, NewsEvent>): void {
    if (job.aborted || job.steps === undefined) return;
    job.call = undefined;
    job.timer = undefined;
    let result: IteratorResult<Ask, NewsEvent>;
    try {
      result = act(job.steps);
    } catch (thrown) {
      return this.#failed(job, thrown);
    }
    if (!result.done) return this.#wait(job, result.value);
    this.#apply(job.id, result.value, (error) => {
      if (error !== undefined) this.#failed(job, error);
    });
  }

  #wait(job: Job, ask: Ask): void {
    switch (ask.ask) {
      case 'sleep':
        job.timer = this.#later(ask.ms, () => this.#goOn(job, (steps) => steps.next('')));
        return;
      case 'run':
        job.call = this.#network.call(ask.host, ask.request, {
          reply: (text) => this.#goOn(job, (steps) => steps.next(text)),
          fail: (error) => this.#goOn(job, (steps) => steps.throw(error)),
        });
        return;
      case 'tell':
        return this.#tell(job, ask.trouble, () => this.#goOn(job, (steps) => steps.next('')));
    }
  }

  #tell(job: Job, trouble: AppError | undefined, done: () => void): void {
    const { attempt } = job.effect;
    if (trouble === undefined) return this.#apply(job.id, { kind: 'unblocked', attempt }, done);
    const host = this.#hostOf(job) ?? '';
    const { code: reason, message } = trouble;
    const blocked = { host, reason, message, hint: '', since: this.now() };
    this.#apply(job.id, { kind: 'blocked', attempt, blocked }, done);
  }

  #failed(job: Job, thrown: unknown): void {
    if (job.aborted) return;
    const error = toAppError(thrown);
    if (error.code === 'INTERNAL' || (thrown instanceof Error && thrown.name === 'Violation'))
      throw thrown;
    const { attempt, kind } = job.effect;
    if (this.#world.guards.mayPass(error, kind)) {
      this.#tell(job, error, () => this.#retry(job));
      return;
    }
    this.#apply(job.id, { kind: 'step-failed', attempt, failure: error.toRecord() }, (full) => {
      if (full !== undefined) this.#retry(job);
    });
  }

  #retry(job: Job): void {
    if (job.aborted) return;
    const delay = backoffMs(job.tries, RETRY, 0.5);
    job.tries += 1;
    job.waitsFor = this.#hostOf(job) ?? '';
    job.timer = this.#later(delay, () => this.#begin(job));
  }

  #hostOf(job: Job): string | undefined {
    const row = this.#oracle.rows.get(job.id);
    return row === undefined ? undefined : whereIs(row.task, job.effect.attempt).host;
  }

  /** One look at a time: what one gives away, another must see taken. */
  lookForRoom(): void {
    if (!this.up) return;
    if (this.#placing) {
      this.#placeAgain = true;
      return;
    }
    this.#placing = true;
    this.#later(0, () => {
      const tasks = [...this.#oracle.rows.values()].map(({ task }) => task);
      const queued = tasks.filter(({ state }) => state.kind === 'queued');
      this.#placeEach(queued.length === 0 ? [] : place(queued, roomsOf(this.#seats, tasks)));
    });
  }

  #placeEach([first, ...rest]: ReturnType<typeof place>): void {
    if (first === undefined) return this.#placed();
    const { task, host } = first;
    this.#apply(task.id, { kind: 'placed', attempt: task.state.attempt, host }, (error) => {
      if (error === undefined) return this.#placeEach(rest);
      this.#later(PLACER_AFTER_FAILURE_MS, () => this.lookForRoom());
      this.#placed();
    });
  }

  #placed(): void {
    this.#placing = false;
    if (!this.#placeAgain) return;
    this.#placeAgain = false;
    this.lookForRoom();
  }

  /** Nothing is left to do. */
  get idle(): boolean {
    return this.#jobs.size === 0;
  }
}

/** A host as the placement sees it. */
function seatOf(host: Host): Seat {
  const facts = { runtime: {}, cpus: host.cpus };
  return {
    name: host.name,
    policy: { tags: [], maxTasks: host.maxTasks, cpus: host.cpus, enabled: true },
    mode: () => host.mode,
    knownFacts: () => facts,
    host: { linkState: () => ({ kind: host.linkUp ? 'ready' : 'unreachable' }) },
  } as unknown as Seat;
}
