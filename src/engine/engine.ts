/**
 * The carriers. What comes in: what the door asks (service.ts). What goes out: steps on the hosts,
 * committed news, streams. createEngine puts the parts together; read ledger.ts (how news become
 * state), dispatcher.ts (how orders are carried out) and steps/ (one order each).
 */
import type { Effect } from '../domain/effects.ts';
import { isEnded } from '../domain/state.ts';
import { attemptToken } from '../domain/task.ts';
import type { Spool } from '../spool/spool.ts';
import type { Store } from '../store/store.ts';
import { createService } from './create-service.ts';
import { createDispatcher, type Step } from './dispatcher.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createImageKeeper } from './images.ts';
import { createLedger, type Told } from './ledger.ts';
import type { Logger } from './logger.ts';
import { createPlacer } from './placer.ts';
import { createSeats } from './seats.ts';
import type { Progress, Service } from './service.ts';
import type { EngineSettings } from './settings.ts';
import { createCancel } from './steps/cancel.ts';
import { createCleanUp } from './steps/clean-up.ts';
import { createLaunch } from './steps/launch.ts';
import { createPullImage } from './steps/pull-image.ts';
import { createStageIn } from './steps/stage-in.ts';
import { createStageOut } from './steps/stage-out.ts';
import { createWatch } from './steps/watch.ts';
import { createSubscribers } from './subscribers.ts';
import { createWatchers } from './watchers.ts';

export interface EngineDeps {
  store: Store;
  spool: Spool;
  settings: EngineSettings;
  /** The state was made on another machine: show it, touch nothing. */
  readOnly: boolean;
  log: Logger;
  now: () => number;
  random: () => number;
  randomBytes: (count: number) => Uint8Array;
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
  const nonce = (): string => Buffer.from(deps.randomBytes(8)).toString('hex');

  const subscribers = createSubscribers(store, now);
  const ledger = createLedger({ store, now });
  const seats = createSeats({ daemonId: store.daemonId, log, onLink: linkChanged });
  const watchers = createWatchers({ spool, log, now });
  const images = createImageKeeper({ nonce, random });
  const placer = createPlacer({ ledger, seats, log });
  const onProgress = (task: string, progress: Progress): void =>
    subscribers.progress(task as Parameters<typeof subscribers.progress>[0], progress);
  const daemonId = store.daemonId;
  const getSettings = (): EngineSettings => settings;

  const steps: Record<Effect['kind'], Step> = {
    stage: createStageIn({ seats, daemonId, onProgress }),
    pull: createPullImage({ seats, images, onProgress }),
    launch: createLaunch({ seats, daemonId, nonce, settings: getSettings }),
    watch: createWatch({ seats, watchers, spool }),
    collect: createStageOut({ seats, log, onProgress }),
    cancel: createCancel({ seats, watchers, spool, daemonId, nonce, settings: getSettings }),
    clean: createCleanUp({ seats, daemonId }),
  };
  const dispatcher = createDispatcher({ ledger, steps, now, random, log });

  function linkChanged(host: string, ready: boolean): void {
    if (ready) dispatcher.wakeHost(host);
    placer.look();
  }

  function told({ before, task, orders, events }: Told): void {
    subscribers.endProgress(task.id);
    const last = events.at(-1);
    if (last !== undefined) subscribers.wake(last.seq);
    if (isEnded(task.state) || before?.state.attempt !== task.state.attempt) endStreams(before);
    if (isEnded(task.state)) endStreams(task);
    dispatcher.sync(task.id, orders);
    placer.look();
  }

  /** Whoever follows a stream of an attempt that is over sees its end. */
  function endStreams(task: Told['before']): void {
    if (task === undefined) return;
    spool.end(attemptToken(task.id, task.state.attempt)).catch((err: unknown) => {
      log.warn({ task: task.id, err }, 'cannot close the streams');
    });
  }

  ledger.onTold(told);
  const service = createService({
    ...deps,
    ledger,
    seats,
    placer,
    images,
    watchers,
    subscribers,
    dispatcher,
    settings: getSettings,
    stopping: () => stopping,
  });
  const housekeeping = startHousekeeping({ service, settings: getSettings, log });

  return {
    service,
    async start() {
      if (deps.readOnly) return;
      await seats.reload(settings.hosts);
      await ledger.load();
      for (const task of ledger.live()) dispatcher.sync(task.id, ledger.orders(task.id));
      placer.look();
    },
    async reload(next) {
      settings = next;
      await seats.reload(next.hosts);
      for (const seat of seats.all()) dispatcher.wakeHost(seat.name);
      placer.look();
    },
    async stop() {
      stopping = true;
      housekeeping.stop();
      await dispatcher.stop();
      await seats.close();
    },
  };
}
