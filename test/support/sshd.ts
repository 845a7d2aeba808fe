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
  /** Who logs in there sees a machine of this name: another one, as far as a process tells, with the same files. */
  hostname?: string;
  /** A directory of alice's that is another one there, as a disk of that machine alone. */
  ownDirectory?: string;
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
  /** Ends it and its sessions; its port stays its own. */
  down(): Promise<void>;
  /** Starts it again where it was, with an empty log; what is named is otherwise from now on. */
  up(changes?: Pick<SshdOptions, 'lines' | 'hostKeys'>): Promise<void>;
  /** Ends it and its sessions; the port is free for others. */
  stop(): Promise<void>;
}

const OWN = '[ -z "$1" ] || mount -t tmpfs -o "mode=0700,uid=$(id -u alice)" none "$1"';
const AS_MACHINE = [
  ...['unshare', '--uts', '--mount', 'sh', '-euc'],
  `hostname "$0"; ${OWN}; shift; exec "$@"`,
];

/** Starts one and waits until it listens. @throws with sshd's own words when a line is wrong */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  requireBed();
  const { hostname, ownDirectory = '' } = options;
  let { lines = [], hostKeys = ['ed25519'] } = options;
  const machine = hostname === undefined ? [] : [...AS_MACHINE, hostname, ownDirectory];
  const range = [PORTS.sshdFirst, PORTS.sshdLast].map(String);
  const program = talkTo([...machine, 'bed-sshd', ...range]);
  const listen = (): Promise<number> => {
    const keyLines = hostKeys.map((name) => `HostKey /etc/ssh/ssh_host_${name}_key`);
    return program.ask([...keyLines, ...lines, '.'], 'listening');
  };
  const port = await listen();
  const log = (): string => bedLog(`sshd-${port}`);
  return {
    port,
    log,
    logins: () => countLogins(log()),
    knownHosts: knownHostsText(port, hostKeys),
    down: async () => void (await program.ask(['down'], 'down')),
    up: async (changes = {}) => {
      ({ lines = lines, hostKeys = hostKeys } = changes);
      await listen();
    },
    stop: program.end,
    [Symbol.asyncDispose]: program.end,
  };
}

interface Program {
  /** Says the lines and waits for its answer: the word and a port, which is returned. */
  ask(lines: readonly string[], word: string): Promise<number>;
  /** Lets go of its standard input, and waits until it has ended. */
  end(): Promise<void>;
}

/** A program in vm2 that is told lines, and answers each time with one. */
function talkTo(command: readonly string[]): Program {
  const child = spawn('docker', ['exec', '-i', `${BED_NAME}-vm2`, ...command], { stdio: 'pipe' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on('error', () => {});
  const ask = async (lines: readonly string[], word: string): Promise<number> => {
    out = '';
    child.stdin.write(`${lines.join('\n')}\n`);
    const answer = new RegExp(`^${word} (\\d+)\n`);
    await until(() => {
      if (child.exitCode !== null) throw new Error(`sshd has ended: ${err}`);
      return answer.test(out);
    });
    return Number(answer.exec(out)?.[1]);
  };
  const end = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  return { ask, end };
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
