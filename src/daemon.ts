/**
 * The composition root of the daemon: configuration, lock, store, spool, hosts, engine, door, in this
 * order, and back in reverse. The only file that knows every room.
 */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createApi } from './api/server.ts';
import { listen } from './api/socket.ts';
import { toTaskView } from './api/task-view.ts';
import type { Config } from './config/config.ts';
import { explainNote } from './config/explain.ts';
import { loadConfig } from './config/load.ts';
import { AppError } from './domain/failure.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import type { EngineSettings } from './engine/settings.ts';
import { between } from './fault.ts';
import { engineSettings } from './host-settings.ts';
import { createLog, type Logger } from './log.ts';
import { startMemoryTrim } from './memory-trim.ts';
import { fillDeps } from './remote/deps.ts';
import { Roads } from './remote/ssh/roads.ts';
import { tellServiceManager } from './service-manager.ts';
import { openSpool } from './spool/spool.ts';
import { freeBytes } from './store/free-bytes.ts';
import { lockStateDir } from './store/lock-state-dir.ts';
import { openStore } from './store/open.ts';
import { serveTes } from './tes-door.ts';
import { VERSION } from './version.ts';

export interface DaemonOptions {
  configFile?: string | undefined;
  socket?: string | undefined;
  /** Take over a state directory that is a copy, or was made on another machine. */
  adoptState: boolean;
}

/**
 * Runs until SIGTERM or SIGINT; tasks on the hosts run on. Gives the exit code.
 * @throws CONFIG_* DAEMON_* STORE_*
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  // all of ours is private; what tasks of this machine make is as the user is used to
  const usersMask = process.umask(0o077);
  process.env['TOWLINE_UMASK'] = usersMask.toString(8).padStart(4, '0');
  // Reading back ten thousand tasks makes V8 grow its young generations: 15 to 25 MB less are resident with
  // this, and no difference was seen in how fast streams flow. Only node's command line has a firmer limit.
  setFlagsFromString('--semi-space-growth-factor=1');
  // Buffers of streams count against a limit of their own, not against what is left to the heap: with a heap of 20 MB all of it
  // was marked anew for every 5 MB of a stream, which was a third of the processor that a long output cost.
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  const config = load(options);
  const log = createLog(config.daemon.logLevel);
  let current = config;
  // Heard from the beginning, or a SIGHUP that comes while the house is put together would end it.
  const reloads = hearReloads(() => {
    const wanted = loadAnew(options, log);
    current = wanted ?? current;
    return wanted;
  });
  await using house = new AsyncDisposableStack();
  const { stateDir } = config.daemon;
  const uploadDir = join(stateDir, 'uploads');
  house.use(await between('state.lock', () => lockStateDir(stateDir)));
  house.use(startMemoryTrim());
  const { store, cloned } = await between('store.open', () =>
    openStore({ stateDir, adopt: options.adoptState }),
  );
  house.defer(() => store.close());
  const spool = openSpool({ stateDir, readOnly: cloned });
  house.defer(() => spool.close());
  const roads = new Roads(fillDeps({ logger: log }));
  const engine = createEngine({
    store,
    spool,
    settings: engineSettings(config, log, roads),
    readOnly: cloned,
    log,
    now: Date.now,
    random: Math.random,
    randomBytes,
    shown: toTaskView,
    uploadDir,
    freeBytes: () => freeBytes(stateDir),
  });
  house.defer(() => engine.stop());

  // an empty variable counts as none, as for the clients
  const socket = options.socket || process.env['TOWLINE_SOCKET'] || config.daemon.socket;
  // what the user has run at the end of a task may talk to this daemon
  process.env['TOWLINE_SOCKET'] = resolve(socket);
  const { service } = engine;
  const api = createApi({
    service,
    logger: log,
    version: VERSION,
    stateDir,
    uploadDir,
    specDefaults: () => current.defaults,
    tes: () => current.tes,
  });
  house.defer(() => api.close());
  await engine.start();
  await between('socket.listen', () => listen(api, socket));
  house.defer(await serveTes(() => current, { service, logger: log, version: VERSION }));
  if (cloned) warnCloned(log, stateDir);
  warnNotes(log, config);
  log.info(
    { version: VERSION, pid: process.pid, socket, stateDir, hosts: Object.keys(config.hosts) },
    'ready',
  );
  await tellServiceManager('ready');
  reloads.begin((wanted) => apply(engine, engineSettings(wanted, log, roads), log));
  const signal = await stopSignal();
  log.info({ signal }, 'stopping; tasks on the hosts run on');
  reloads.end();
  await tellServiceManager('stopping');
  return 0;
}

interface Reloads {
  /** From now on, and for what came before, each configuration read is applied. */
  begin: (apply: (config: Config) => Promise<void>) => void;
  /** Later ones are heard and do nothing. */
  end: () => void;
}

/** One at a time and in order: the last configuration read is the one that stays. */
function hearReloads(read: () => Config | undefined): Reloads {
  const begun = Promise.withResolvers<(config: Config) => Promise<void>>();
  let reloading: Promise<void> = Promise.resolve();
  let ended = false;
  process.on('SIGHUP', () => {
    if (ended) return;
    const config = read();
    if (config === undefined) return;
    reloading = reloading.then(async () => (await begun.promise)(config));
  });
  return {
    begin: begun.resolve,
    end: () => {
      ended = true;
    },
  };
}

function load({ configFile }: DaemonOptions): Config {
  const files = configFile === undefined ? {} : { files: [configFile] };
  return loadConfig({ ...files, env: process.env, home: homedir() });
}

/** A configuration that does not fit leaves everything as it was, and says so. */
function loadAnew(options: DaemonOptions, log: Logger): Config | undefined {
  try {
    const next = load(options);
    warnNotes(log, next);
    return next;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.error(
      { code: error.code, hint: error.hint },
      `configuration not reloaded: ${error.message}`,
    );
    return undefined;
  }
}

async function apply(engine: Engine, next: EngineSettings, log: Logger): Promise<void> {
  try {
    await engine.reload(next);
    log.info({ hosts: next.hosts.map(({ policy }) => policy.name) }, 'configuration reloaded');
  } catch (err) {
    log.error({ err }, 'cannot apply the configuration');
  }
}

function warnNotes(log: Logger, { notes }: Config): void {
  for (const note of notes) log.warn({}, explainNote(note));
}

function warnCloned(log: Logger, stateDir: string): void {
  const { code, hint } = new AppError('DAEMON_STATE_CLONED', '');
  log.warn(
    { code, stateDir, hint },
    'the state directory is a copy, or was made on another machine: read-only',
  );
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => resolve(signal));
  });
}
