/**
 * The carriers. What comes in: what the door asks (service.ts). What goes out: steps on the hosts,
 * committed news, streams. createEngine puts the parts together; read ledger.ts (how news become
 * state), dispatcher.ts (how orders are carried out) and steps/ (one order each).
 */
import { setImmediate } from 'node:timers/promises';
import type { Effect } from '../domain/effects.ts';
import { AppError } from '../domain/failure.ts';
import { isEnded } from '../domain/state.ts';
import { attemptToken, type Task, type TaskId } from '../domain/task.ts';
import type { Spool } from '../spool/spool.ts';
import type { Store } from '../store/store.ts';
import { createService } from './create-service.ts';
import { createDependants } from './dependants.ts';
import { createDispatcher, type Dispatcher, type Step } from './dispatcher.ts';
import { heldRootsOf } from './held-roots.ts';
import { createHostModes } from './host-modes.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createImageRelay } from './image-relay.ts';
import { createImageKeeper, type ImageKeeper } from './images.ts';
import { type AskUsage, createAskUsage } from './jobs/job-usage.ts';
import { createJobWatch, type JobWatch } from './jobs/job-watch.ts';
import { createSubmitter, type Submitter } from './jobs/submitter.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { Told } from './live-tasks.ts';
import type { Logger } from './logger.ts';
import { createPlacer } from './placer.ts';
import { stateCloned } from './read-only.ts';
import { createSeats, type Seat, type Seats } from './seats.ts';
import type { Progress, Service, TaskReport } from './service.ts';
import type { EngineSettings } from './settings.ts';
import { createCancel } from './steps/cancel.ts';
import { createCleanUp } from './steps/clean-up.ts';
import { createFinish } from './steps/finish.ts';
import { createLaunch } from './steps/launch.ts';
import { createPullImage } from './steps/pull-image.ts';
import { createStageIn } from './steps/stage-in.ts';
import { createStageOut } from './steps/stage-out.ts';
import { createWatch } from './steps/watch.ts';
import { createStorages } from './storage/storages.ts';
import { createSubscribers, type Subscribers } from './subscribers.ts';
import { createWatchers, type Watchers } from './watchers.ts';

const TAKEN_AT_ONCE = 200;

export interface EngineDeps {
  store: Store;
  spool: Spool;
  settings: EngineSettings;
  /** The state is not our own: show it, touch nothing. */
  readOnly: boolean;
  log: Logger;
  now: () => number;
  random: () => number;
  randomBytes: (count: number) => Uint8Array;
  /** A task as it is shown, for the command at its end. Default: as it is stored. */
  shown?: ((report: TaskReport) => unknown) | undefined;
  /** Where uploads wait for their tasks. */
  uploadDir?: string | undefined;
  /** Free bytes of the disk that holds the state; undefined: not to be known. */
  freeBytes?: (() => Promise<number | undefined>) | undefined;
}

export interface Engine {
  service: Service;
  /** Takes up where the last daemon left: every order not done is carried out again. */
  start(): Promise<void>;
  reload(settings: EngineSettings): Promise<void>;
  /** Takes no more work and lets go of the hosts; running tasks run on there. */
  stop(): Promise<void>;
}

export function createEngine(deps: EngineDeps): Engine {
  const { store, spool, log, now, random } = deps;
  let settings = deps.settings;
  let stopping = false;
  const subscribers = createSubscribers(store, now);
  const ledger = createLedger({ store, now });
  const modes = createHostModes({ store, now });
  const seats = createSeats({
    ...{ daemonId: store.daemonId, log, now, modeOf: modes.of, onLink: linkChanged },
    ...{ held: heldRootsOf(ledger), ...(deps.readOnly && { shut: stateCloned }) },
  });
  const watchers = createWatchers({ spool, log });
  const images = imagesOf(deps, seats);
  const placer = createPlacer({ ledger, seats, log });
  const jobWatch = createJobWatch({ log });
  const nonce = (): string => nonceFrom(deps);
  const submitter = createSubmitter({ daemonId: store.daemonId, nonce, now, log });
  const jobs = { jobWatch, submitter, askUsage: createAskUsage({ log }) };
  const parts = { ledger, seats, watchers, ...jobs, images, subscribers, settings: () => settings };
  const steps = createSteps({ ...deps, ...parts, report: (id) => service.get(id) });
  const dispatcher = createDispatcher({ ledger, steps, now, random, log });

  const dependants = createDependants({ ledger, log });

  function linkChanged(host: string, ready: boolean): void {
    if (ready) dispatcher.wakeHost(host);
    placer.look();
  }

  function told({ before, task, orders, events }: Told): void {
    subscribers.endProgress(task.id);
    if (events.length > 0) subscribers.wake(task.id);
    endStreamsOfPast(deps, { before, task });
    dispatcher.sync(task.id, orders);
    dependants.told({ before, task });
    if (task.state.kind === 'queued') placer.arrived(task);
    else placer.look();
  }

  ledger.onTold(told);
  const own = { modes, placer, dispatcher, stopping: () => stopping };
  const service = createService({ ...deps, ...parts, ...own });
  const housekeeping = deps.readOnly ? undefined : startHousekeeping({ service, log, now });

  return {
    service,
    async start() {
      await modes.load();
      await seats.reload(settings.hosts, settings.thisMachine);
      for (const { id, why } of await ledger.load()) tellUnreadable(log, id, why);
      if (deps.readOnly) return;
      await takeUp([...ledger.live()], (task) => {
        dispatcher.sync(task.id, ledger.orders(task.id));
        dependants.told({ before: undefined, task });
      });
      placer.look();
    },
    async reload(next) {
      settings = next;
      await seats.reload(next.hosts, next.thisMachine);
      if (deps.readOnly) return;
      wakeAll(seats, dispatcher);
      placer.look();
    },
    async stop() {
      stopping = true;
      housekeeping?.stop();
      dependants.stop();
      await dispatcher.stop();
      await seats.close();
    },
  };
}

/** Pulled where that works, else sent by another host. */
function imagesOf(deps: EngineDeps, seats: Seats): ImageKeeper {
  const { store, log, random, now } = deps;
  const keeper = createImageKeeper({ nonce: () => nonceFrom(deps), random, now });
  return createImageRelay({ keeper, seats, daemonId: store.daemonId, log, now });
}

function wakeAll(seats: Seats, dispatcher: Dispatcher): void {
  for (const { name, host } of seats.all()) {
    wakeTurnedAway(host);
    dispatcher.wakeHost(name);
  }
}

/** Whoever mended a key file or known_hosts says so by a reload, and need not wait for the next try. */
function wakeTurnedAway(host: Seat['host']): void {
  if (['unreachable', 'refused'].includes(host.linkState().kind)) host.wake();
}

/** With room in between: ten thousand at once would all wait for their first answer at the same time. */
async function takeUp(tasks: Task[], take: (task: Task) => void): Promise<void> {
  for (const [index, task] of tasks.entries()) {
    take(task);
    if (index % TAKEN_AT_ONCE === TAKEN_AT_ONCE - 1) await setImmediate();
  }
}

/** Others must not stand still for it; nothing is done for it, here or on its host, until it is mended. */
function tellUnreadable(log: Logger, task: TaskId, why: string): void {
  const { code, hint, message } = new AppError('STORE_CORRUPT', why);
  log.error({ task, code, hint }, `task ${task} is left alone: ${message}`);
}

function endStreamsOfPast(deps: EngineDeps, { before, task }: Pick<Told, 'before' | 'task'>): void {
  const ended = isEnded(task.state);
  if (ended || before?.state.attempt !== task.state.attempt) endStreams(deps, before);
  if (ended) endStreams(deps, task);
}

/** Whoever follows a stream of an attempt that is over sees its end. */
function endStreams({ spool, log }: EngineDeps, task: Told['before']): void {
  if (task === undefined) return;
  spool.end(attemptToken(task.id, task.state.attempt)).catch((err: unknown) => {
    log.warn({ task: task.id, err }, 'cannot close the streams');
  });
}

/** New for each act on a host, so that what it leaves there is recognised. */
function nonceFrom({ randomBytes }: Pick<EngineDeps, 'randomBytes'>): string {
  return Buffer.from(randomBytes(8)).toString('hex');
}

interface StepsDeps extends Omit<EngineDeps, 'settings'> {
  ledger: Ledger;
  seats: Seats;
  watchers: Watchers;
  jobWatch: JobWatch;
  submitter: Submitter;
  askUsage: AskUsage;
  images: ImageKeeper;
  subscribers: Subscribers;
  report: (id: TaskId) => Promise<TaskReport>;
  settings: () => EngineSettings;
}

/** One step per kind of order. */
function createSteps(deps: StepsDeps): Record<Effect['kind'], Step> {
  const daemonId = deps.store.daemonId;
  const onProgress = (task: TaskId, progress: Progress): void =>
    deps.subscribers.progress(task, progress);
  const storageFor = createStorages(deps.settings);
  const all = { ...deps, daemonId, onProgress, storageFor, nonce: () => nonceFrom(deps) };
  return {
    stage: createStageIn(all),
    pull: createPullImage(all),
    launch: createLaunch(all),
    watch: createWatch(all),
    collect: createStageOut(all),
    cancel: createCancel(all),
    clean: createCleanUp(all),
    finish: createFinish(all),
  };
}
