/**
 * A private OpenSSH server on loopback: real sshd, own host keys, own authorized key, one user (the
 * one that runs the tests). Everything lives in a temporary directory and goes with stop().
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { HOST_TUNING, type HostSettings } from '../../src/remote/settings.ts';
import { BED } from './bed.ts';
import { type KeyPair, makeKeyPair } from './ssh-keys.ts';
import { until } from './until.ts';

export interface SshServerOptions {
  /** Default: a free one. */
  port?: number;
  maxSessions?: number;
  /** Lines for sshd_config. */
  extra?: string[];
  hostKeyType?: 'ed25519' | 'rsa' | 'ecdsa';
}

export interface SshServer {
  readonly port: number;
  readonly directory: string;
  readonly hostKey: KeyPair;
  readonly userKey: KeyPair;
  /** Settings of a host that may log in. */
  settings(changes?: Partial<HostSettings>): HostSettings;
  log(): string;
  /** Processes that serve connections, the privileged halves included. */
  sessionPids(): Promise<number[]>;
  /** Kills what serves the connections; the listener stays. */
  killSessions(): Promise<void>;
  stop(): Promise<void>;
}

/** The machine's own, or what `scripts/test` unpacked. */
const OPENSSH = existsSync('/usr/sbin/sshd') ? '' : join(BED, 'openssh');
const SSHD = join(OPENSSH, '/usr/sbin/sshd');
const SFTP_SERVER = join(OPENSSH, '/usr/lib/openssh/sftp-server');
/** sshd from 9.8 on is several programs. */
const PARTS = { SshdSessionPath: 'sshd-session', SshdAuthPath: 'sshd-auth' };

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const directory = await mkdtemp(join(tmpdir(), 'towline-sshd-'));
  // sshd wants its privilege separation directory even where it is not used.
  await mkdir('/run/sshd', { recursive: true }).catch(() => {});
  const hostKey = await makeKeyPair(join(directory, 'host_key'), {
    type: options.hostKeyType ?? 'ed25519',
  });
  const userKey = await makeKeyPair(join(directory, 'user_key'));
  const port = options.port ?? (await freePort());
  await writeFile(join(directory, 'authorized_keys'), `${userKey.publicKey}\n`, { mode: 0o600 });
  await writeFile(join(directory, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
  await writeFile(join(directory, 'sshd_config'), configText(directory, port, options));
  const child = spawn(SSHD, ['-D', '-e', '-f', join(directory, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: OPENSSH === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries() },
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8');
  });
  child.on('error', (error) => {
    log += `${error.message}; scripts/test brings it`;
  });
  await until(
    () => {
      if (child.pid === undefined || child.exitCode !== null) throw new Error(`sshd: ${log}`);
      return log.includes('Server listening');
    },
    () => `sshd: ${log}`,
  );
  return {
    port,
    directory,
    hostKey,
    userKey,
    settings: (changes = {}) => ({
      ...HOST_TUNING,
      name: 'box',
      hostname: '127.0.0.1',
      port,
      user: userInfo().username,
      identityFiles: [userKey.path],
      jumps: [],
      knownHostsFiles: [join(directory, 'known_hosts')],
      ...changes,
    }),
    log: () => log,
    sessionPids: () => descendants(child.pid as number, 'sshd'),
    killSessions: async () => {
      for (const pid of await descendants(child.pid as number, 'sshd')) kill(pid);
    },
    stop: () => stop(child, directory),
  };
}

function configText(directory: string, port: number, options: SshServerOptions): string {
  return [
    // Of two lines for the same thing the first one counts.
    ...(options.extra ?? []),
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(directory, 'host_key')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    `PidFile ${join(directory, 'pid')}`,
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'LogLevel VERBOSE',
    'MaxStartups 100',
    `MaxSessions ${options.maxSessions ?? 10}`,
    `Subsystem sftp ${SFTP_SERVER}`,
    ...partsLines(),
    '',
  ].join('\n');
}

function libraries(): string {
  const all = join(OPENSSH, '/usr/lib');
  return readdirSync(all)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(all, name))
    .join(':');
}

function partsLines(): string[] {
  return Object.entries(PARTS).flatMap(([key, name]) => {
    const path = join(OPENSSH, '/usr/lib/openssh', name);
    return OPENSSH !== '' && existsSync(path) ? [`${key} ${path}`] : [];
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function stop(child: ChildProcess, directory: string): Promise<void> {
  const pids = await descendants(child.pid as number, undefined);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await ended;
  }
  for (const pid of pids) kill(pid);
  await rm(directory, { recursive: true, force: true });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** All processes below `root`, by /proc; only those of this command name if one is given. */
async function descendants(root: number, command: string | undefined): Promise<number[]> {
  const processes = new Map<number, { parent: number; command: string }>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const match = /\((.*)\) \S (\d+)/.exec(stat);
    if (match === null) continue;
    processes.set(Number(entry), { parent: Number(match[2]), command: match[1] ?? '' });
  }
  const found: number[] = [];
  const search = (parent: number): void => {
    for (const [pid, info] of processes) {
      if (info.parent !== parent) continue;
      if (command === undefined || info.command.startsWith(command)) found.push(pid);
      search(pid);
    }
  };
  search(root);
  return found;
}
