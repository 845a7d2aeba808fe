/**
 * A daemon of a test's own, as a user would run it: the built program with its own state directory,
 * socket and configuration against the bed, and the CLI that talks to it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Client, createClient } from '../../src/client/client.ts';
import type { LoginUse } from '../../src/remote/host.ts';
import {
  type BedHost,
  type BedUser,
  hostSection,
  isSpare,
  MINI,
  onHost,
  REPO,
  requireBed,
  type SpareName,
} from './bed.ts';
import { until } from './until.ts';

/** The built program unless sources are newer (scripts/test builds first), then those. */
const ENTRY = isBuilt() ? 'dist/main.js' : 'src/main.ts';

/** Below the home: pulled once for all tests, unless a test says otherwise. */
const SHARED_IMAGES = 'test-images';

/** A section [host.NAME] for a host of the bed. */
export interface HostOptions {
  on: BedHost | SpareName;
  user?: BedUser;
  /** Keys that differ from the bed's own; an empty value leaves the key out. */
  keys?: Record<string, string>;
}

export interface DaemonOptions {
  /** Keys of [host.vm] that differ from the bed's own; an empty value leaves the key out. */
  vm?: Record<string, string>;
  /** These hosts by name instead of vm alone; the first is the default one. */
  hosts?: Record<string, HostOptions>;
  /** More lines of [daemon]. */
  daemon?: Record<string, string>;
  /** Lines of [defaults]. */
  defaults?: Record<string, string>;
  /** More sections, as text. */
  more?: string;
}

export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface TestDaemon extends AsyncDisposable {
  readonly dir: string;
  readonly stateDir: string;
  readonly socket: string;
  readonly configFile: string;
  /** The remote root, this test's own; with several hosts that of the first. */
  readonly root: string;
  /** The remote root on a host by its name in the configuration. */
  rootOn(host: string): string;
  log(): string;
  start(env?: Record<string, string>): Promise<void>;
  /** Starts without waiting until it is ready. */
  launch(env?: Record<string, string>): ChildProcess;
  pid(): number;
  /** Ends it by a signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Runs the CLI to its end. */
  cli(...args: string[]): Promise<Ran>;
  /** Starts the CLI and leaves it running. */
  spawnCli(args: string[], env?: Record<string, string>): ChildProcess;
  /** `towline run` of a command in the small image, on the default host. */
  run(...command: string[]): Promise<Ran>;
  /** Submits and gives the id. */
  submit(...args: string[]): Promise<string>;
  /** What `towline show --json` and `host show --no-probe --json` print, without a process for each look. */
  show(id: string): Promise<TaskJson>;
  showHost(name: string): Promise<HostJson>;
  /** The state column in the database, read from outside. */
  storedState(id: string): string | undefined;
}

/** What tests look at of `towline show --json`. */
export interface TaskJson {
  id: string;
  state: string;
  ended: boolean;
  attempt: number;
  exitCode?: number;
  host?: string;
  image?: string;
  imagePath?: string;
  imageDigest?: string;
  remoteDir?: string;
  job?: { id: string; name: string; command: string; pilot: boolean };
  failure?: { code: string; message: string; hint: string };
  blocked?: {
    host: string;
    reason: string;
    message: string;
    hint: string;
    since: string;
    nextTryAt?: string;
  };
  cleanup: { policy: string; state: string };
  streams: Record<'stdout' | 'stderr', { bytes: number; complete: boolean }>;
  outputs: { path: string; local: string; bytes: number }[];
}

/** What tests look at of a host. */
export interface HostJson {
  link: {
    kind: string;
    code?: string;
    message?: string;
    hint?: string;
    since?: string;
    nextTryAt?: string;
  };
  budget: { logins: LoginUse; nodes: { name: string; inUse: boolean }[] };
}

/** Makes directory and configuration; nothing runs before start(). Disposing ends and removes all. */
export function makeDaemon(options: DaemonOptions = {}): TestDaemon {
  requireBed();
  const dir = mkdtempSync(join(tmpdir(), 'towline-test-'));
  const stateDir = join(dir, 'state');
  const socket = join(dir, 'run', 't.sock');
  mkdirSync(join(dir, 'run'), { mode: 0o700 });
  const hosts = hostSections(options, dir.slice(dir.lastIndexOf('-') + 1));
  const [first] = hosts;
  if (first === undefined) throw new Error('a daemon without any host');
  const rootOn = (name: string): string => {
    const host = hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`no host of this test: ${name}`);
    return host.root;
  };
  const configFile = join(dir, 'towline.ini');
  writeFileSync(configFile, configText({ stateDir, socket, hosts, options }));
  const logFile = join(dir, 'daemon.log');
  let child: ChildProcess | undefined;

  function node(args: string[], env: Record<string, string> = {}): ChildProcess {
    return spawn(process.execPath, [join(REPO, ENTRY), ...args], {
      cwd: dir,
      env: {
        ...process.env,
        ...(args[0] !== 'daemon' && { NODE_OPTIONS: withoutKeeping() }),
        TOWLINE_SOCKET: socket,
        TOWLINE_CONFIG: configFile,
        TOWLINE_FAULT: '',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async function ask<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const client = createClient({ socketPath: socket });
    try {
      return await call(client);
    } finally {
      client.close();
    }
  }

  const daemon: TestDaemon = {
    dir,
    stateDir,
    socket,
    configFile,
    root: first.root,
    rootOn,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    launch(env) {
      child = node(['daemon', '--config', configFile], env);
      child.stderr?.on('data', (chunk: Buffer) => writeFileSync(logFile, chunk, { flag: 'a' }));
      return child;
    },
    async start(env) {
      const before = daemon.log().length;
      const started = daemon.launch(env);
      await until(() => {
        if (started.exitCode !== null || started.signalCode !== null)
          throw new Error(`the daemon ended: ${daemon.log()}`);
        return daemon.log().slice(before).includes('"msg":"ready"');
      });
    },
    pid: () => child?.pid ?? 0,
    async kill(signal = 'SIGTERM') {
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const closed = new Promise((resolve) => ending.once('close', resolve));
      ending.kill(signal);
      await closed;
    },
    spawnCli: (args, env) => node(args, env),
    cli: (...args) => finished(node(args)),
    run: (...command) => daemon.cli('run', '--host', first.name, MINI, '--', ...command),
    async submit(...args) {
      const ran = await daemon.cli('submit', ...args);
      if (ran.code !== 0) throw new Error(`submit failed: ${ran.stderr}`);
      return ran.stdout.trim();
    },
    show: (id) => ask((client) => client.get(id)) as Promise<TaskJson>,
    showHost: (name) => ask((client) => client.host(name, { probe: false })) as Promise<HostJson>,
    storedState(id) {
      const db = new DatabaseSync(join(stateDir, 'towline.sqlite'), {
        readOnly: true,
        timeout: 10_000,
      });
      try {
        const row = db.prepare('SELECT state FROM tasks WHERE id = ?').get(id);
        return (JSON.parse(String(row?.['state'] ?? '{}')) as { kind?: string }).kind;
      } finally {
        db.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await daemon.kill('SIGKILL');
      // a spare host goes as a whole, and may not run any more
      const lasting = hosts.filter(({ on }) => !isSpare(on));
      await Promise.all(lasting.map((host) => removeOn(host.on, host.root)));
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return daemon;
}

/** What runs there still may write while it is removed. */
async function removeOn(host: string, path: string): Promise<void> {
  const gone = (): Promise<boolean> =>
    onHost(host, 'rm', '-rf', path).then(
      () => true,
      () => false,
    );
  await until(gone, () => `${path} can be removed on ${host}`);
}

/** True when dist is there and no source is newer. */
export function isBuilt(): boolean {
  const built = join(REPO, 'dist/main.js');
  if (!existsSync(built)) return false;
  const sources = readdirSync(join(REPO, 'src'), { recursive: true, encoding: 'utf8' });
  const at = statSync(built).mtimeMs;
  return sources.every((name) => statSync(join(REPO, 'src', name)).mtimeMs <= at);
}

/** Waits for the end of a process and gives what it printed. */
export function finished(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      const [stdout, stderr] = [out, err].map((chunks) => Buffer.concat(chunks).toString());
      resolve({ code, signal, stdout: stdout ?? '', stderr: stderr ?? '' });
    });
  });
}

interface Section {
  name: string;
  on: BedHost | SpareName;
  root: string;
  values: Record<string, string>;
}

/** A verb of the client makes no scripts: what keeps those (kept-scripts) would cost it a third of its start. */
function withoutKeeping(): string {
  return (process.env['NODE_OPTIONS'] ?? '').replace(/--import "[^"]*kept-scripts[^"]*"/, '');
}

/** Each host has a root of its own, so that two sections for one account do not meet. */
function hostSections(options: DaemonOptions, id: string): Section[] {
  const { hosts = { vm: { on: 'vm', keys: options.vm ?? {} } } } = options;
  return Object.entries(hosts).map(([name, { on, user = 'alice', keys = {} }]) => {
    const place = options.hosts === undefined ? id : `${id}-${name}`;
    const root = keys['root'] ?? `/home/${user}/t/${place}`;
    const values = {
      ...hostSection(on, user),
      root,
      insecure_registries: 'registry:5000',
      image_cache_dir: `/home/${user}/${SHARED_IMAGES}`,
      ...keys,
    };
    return { name, on, root, values };
  });
}

function configText(house: {
  stateDir: string;
  socket: string;
  hosts: Section[];
  options: DaemonOptions;
}): string {
  const { stateDir, socket, hosts, options } = house;
  const lines = (values: Record<string, string>): string[] =>
    Object.entries(values).flatMap(([key, value]) => (value === '' ? [] : [`${key} = ${value}`]));
  return [
    '[daemon]',
    `state_dir = ${stateDir}`,
    `socket = ${socket}`,
    ...lines({ log_level: 'debug', ...options.daemon }),
    '[defaults]',
    ...lines({ host: hosts[0]?.name ?? '', stop_grace: '2s', ...options.defaults }),
    ...hosts.flatMap(({ name, values }) => [`[host.${name}]`, ...lines(values)]),
    options.more ?? '',
  ].join('\n');
}
