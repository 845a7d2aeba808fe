/**
 * A further real sshd inside vm2, with whatever configuration lines a test wants. It runs as root, so all
 * users of vm2 log in as on port 22, and ends with the test however the test ends.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BED, BED_NAME, bedLog, PORTS, requireBed } from './bed.ts';
import { until } from './until.ts';

/** Host keys of vm2; `changed` is an ed25519 key that no known_hosts file of the bed has. */
export type HostKeyName = 'ed25519' | 'ecdsa' | 'rsa' | 'changed';

export interface SshdOptions {
  /** Lines of sshd_config; they win over the bed's own. Match blocks may come at the end. */
  lines?: string[];
  /** Default: ed25519. */
  hostKeys?: HostKeyName[];
  /** One of the range, for a second start in the place of the first; default: a free one. */
  port?: number;
}

/** What sshd logged about logins, counted. */
export interface LoginCounts {
  connections: number;
  accepted: number;
  /** Methods refused, a key at a time; sshd counts them against MaxAuthTries. */
  failed: number;
  /** Connections closed before the login, for MaxStartups or for a penalty. */
  dropped: number;
  /** Of those, the ones for a penalty of PerSourcePenalties. */
  penalised: number;
  /** Times that sshd noted a penalty, also where it stays below the minimum to enforce. */
  penalties: number;
}

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  log(): string;
  logins(): LoginCounts;
  /** The known_hosts text that pins the keys it was started with. */
  readonly knownHosts: string;
  /** Ends it and its sessions; the port is free again. */
  stop(): Promise<void>;
}

/** Of the twenty ports there are. */
const SKIPPED_MAX = 8;

/** Starts one and waits until it listens. @throws with sshd's own words when a line is wrong */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  requireBed();
  const { lines = [], hostKeys = ['ed25519'] } = options;
  // not always the lowest one: a test that starts its own again on the same port would find it taken
  const first = PORTS.sshdFirst + Math.floor(Math.random() * SKIPPED_MAX);
  const range = [first, PORTS.sshdLast, ...(options.port ? [options.port] : [])];
  const command = ['exec', '-i', `${BED_NAME}-vm2`, 'bed-sshd', ...range.map(String)];
  const child = spawn('docker', command, { stdio: 'pipe' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on('error', () => {});
  const keyLines = hostKeys.map((name) => `HostKey /etc/ssh/ssh_host_${name}_key`);
  child.stdin.write([...keyLines, ...lines, '.', ''].join('\n'));
  await until(() => {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${err}`);
    return /^listening \d+$/m.test(out);
  });
  const port = Number(out.split(' ')[1]);
  const log = (): string => bedLog(`sshd-${port}`);
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  return {
    port,
    log,
    logins: () => countLogins(log()),
    knownHosts: knownHostsText(port, hostKeys),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** known_hosts lines for a port of 127.0.0.1 with host keys of vm2. */
export function knownHostsText(port: number, names: readonly HostKeyName[]): string {
  const line = (name: HostKeyName): string => {
    const text = readFileSync(join(BED, 'vm2', `ssh_host_${name}_key.pub`), 'utf8');
    return `[127.0.0.1]:${port} ${text.split(' ').slice(0, 2).join(' ')}\n`;
  };
  return names.map(line).join('');
}

/** Counts the lines of an sshd log at LogLevel VERBOSE. */
export function countLogins(log: string): LoginCounts {
  const count = (pattern: RegExp): number => log.match(pattern)?.length ?? 0;
  return {
    connections: count(/^Connection from /gm),
    accepted: count(/^Accepted \S+ for /gm),
    failed: count(/^Failed (?!none )\S+ for /gm),
    dropped: count(/^drop connection /gm),
    penalised: count(/^drop connection .*penalty/gm),
    penalties: count(/^srclimit_penalise: /gm),
  };
}
