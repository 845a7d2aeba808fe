/**
 * One authenticated SSH connection and its channels. It is lost once and for all: on an error, a
 * close, silence, or a channel request that gets no answer; everything pending on it then rejects.
 */
import type { Socket } from 'node:net';
import { Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { classifySsh } from '../classify.ts';
import type { Clock } from '../clock.ts';
import type { HostCounters, ProcessOptions } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import { withDeadline } from '../settle.ts';
import { type Door, hostContext, type Login, logIn } from './connect.ts';
import type { Traffic } from './traffic.ts';
import { watchSilence } from './watchdog.ts';

const CHANNEL_OPEN_TIMEOUT_MS = 10_000;

export interface ConnectionDeps {
  door: Door;
  clock: Clock;
  counters: HostCounters;
  traffic: Traffic;
}

type Opened<T> = (error: Error | undefined, channel: T) => void;

/**
 * Logs in and gives the connection.
 * @throws SSH_*
 */
export function connectHost(deps: ConnectionDeps): Promise<SshConnection> {
  return logIn(deps.door, async (login) => {
    deps.traffic.track(login.socket);
    const client = await authenticate(login);
    deps.counters.logins += 1;
    return new SshConnection(client, login.socket, deps);
  });
}

function authenticate({ config }: Login): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once('ready', () => resolve(client));
    // Stays attached: ssh2 may emit several errors for one failure, and an unheard one would throw.
    client.on('error', reject);
    client.once('close', () =>
      reject(new Error('Connection lost: closed by the host during login')),
    );
    client.connect(config);
  });
}

export class SshConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #settings: HostSettings;
  readonly #counters: HostCounters;
  readonly #context: ErrorContext;
  readonly #pending = new Set<(error: AppError) => void>();
  readonly #lostListeners: Array<(error: AppError) => void> = [];
  readonly #idleListeners: Array<() => void> = [];
  readonly #stopWatch: () => void;
  #lost: AppError | undefined;
  #open = 0;
  readonly #abandoned = new Set<ClientChannel>();
  /** Learnt from the first refusal: sshd's MaxSessions, less what others hold. */
  #limit = Number.POSITIVE_INFINITY;

  constructor(client: Client, socket: Socket, { door, clock, counters }: ConnectionDeps) {
    const { settings } = door;
    this.#client = client;
    this.#socket = socket;
    this.#settings = settings;
    this.#counters = counters;
    this.#context = hostContext(settings);
    client.on('error', (error) => this.#lose(error.message));
    client.on('close', () => this.#lose('closed by the host'));
    // Where bulk data shares the link, its own progress deadline is the shortest fair one.
    const sharedMisses = Math.ceil(settings.progressTimeoutMs / settings.keepaliveIntervalMs);
    const misses = settings.transferLinks === 0 ? sharedMisses : settings.keepaliveMisses;
    const watch = { intervalMs: settings.keepaliveIntervalMs, misses, clock };
    this.#stopWatch = watchSilence(socket, watch, (ms) => this.#lose(`silent for ${ms} ms`));
  }

  /** The address that was really reached. */
  get address(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** False as soon as bytes of the far side may be missing. */
  get isWhole(): boolean {
    return this.#lost === undefined && this.#socket.readable;
  }

  get hasRoom(): boolean {
    return this.#lost === undefined && this.#open < this.#limit;
  }

  onLost(listener: (error: AppError) => void): void {
    if (this.#lost === undefined) this.#lostListeners.push(listener);
    else listener(this.#lost);
  }

  /** Calls back whenever no channel is in use any more. */
  onIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
  }

  /** @throws SSH_CHANNEL_REFUSED SSH_CONNECTION_LOST */
  openShell(): Promise<ClientChannel> {
    return this.#channel<ClientChannel>((opened) => this.#client.exec('/bin/sh', opened));
  }

  /** A shell that is not shared, on a terminal if asked. @throws SSH_CHANNEL_REFUSED SSH_CONNECTION_LOST */
  openProcess(tty: ProcessOptions['tty']): Promise<ClientChannel> {
    const pty = tty && { term: tty.term, cols: tty.columns, rows: tty.rows };
    return this.#channel<ClientChannel>((opened) =>
      this.#client.exec('/bin/sh', pty === undefined ? {} : { pty }, opened),
    );
  }

  /** @throws SSH_CHANNEL_REFUSED SSH_CONNECTION_LOST */
  openSftp(): Promise<SFTPWrapper> {
    return this.#channel<SFTPWrapper>((opened) => this.#client.sftp(opened));
  }

  /**
   * Ends a shell without waiting for what runs in it. The channel counts against the host's limit
   * until the far side has ended it too.
   */
  abandon(channel: ClientChannel): void {
    this.#abandoned.add(channel);
    try {
      // Frees the session on the far side; what was started under setsid or nohup is not touched.
      channel.signal('HUP');
      channel.close();
    } catch {
      // The connection is gone, and the shell with it.
    }
    this.#tellIdle();
  }

  close(reason = 'closed by Towline'): void {
    this.#client.end();
    this.#lose(reason);
  }

  async #channel<T extends NodeJS.EventEmitter>(send: (opened: Opened<T>) => void): Promise<T> {
    if (this.#lost !== undefined) throw this.#lost;
    if (!this.hasRoom) throw this.#failure(new Error('Channel open failure: no more are allowed'));
    this.#open += 1;
    try {
      const channel = await this.#answered(send);
      this.#counters.channels += 1;
      channel.on('error', () => {});
      channel.once('close', () => this.#release(channel));
      return channel;
    } catch (error) {
      this.#release();
      const failure = this.#failure(error);
      if (failure.code === 'SSH_CHANNEL_REFUSED') this.#limit = this.#open;
      throw failure;
    }
  }

  /** ssh2 may never call back when the link dies, and throws at once when it has died already. */
  #answered<T>(send: (opened: Opened<T>) => void): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#pending.add(reject);
    try {
      send((error, channel) => (error ? reject(error) : resolve(channel)));
    } catch (error) {
      reject(error);
    }
    const bounded = withDeadline(promise, CHANNEL_OPEN_TIMEOUT_MS, () =>
      this.#lose(`a channel was not opened within ${CHANNEL_OPEN_TIMEOUT_MS} ms`),
    );
    return bounded.finally(() => this.#pending.delete(reject));
  }

  #release(channel?: unknown): void {
    this.#open -= 1;
    this.#abandoned.delete(channel as ClientChannel);
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#open > this.#abandoned.size) return;
    for (const listener of this.#idleListeners) listener();
  }

  #lose(reason: string): AppError {
    if (this.#lost !== undefined) return this.#lost;
    const { name, hostname, port } = this.#settings;
    const message = `connection to host ${name} (${hostname}:${port}): ${reason}`;
    this.#lost = new AppError('SSH_CONNECTION_LOST', message, { context: this.#context });
    this.#stopWatch();
    this.#endSocket();
    for (const reject of this.#pending) reject(this.#lost);
    for (const listener of this.#lostListeners) listener(this.#lost);
    return this.#lost;
  }

  /** Gives a goodbye half a second to leave; a dead peer gets no more than that. */
  #endSocket(): void {
    const timer = setTimeout(() => this.#socket.destroy(), 500);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.end();
  }

  #failure(error: unknown): AppError {
    if (this.#lost !== undefined) return this.#lost;
    const what = `channel to host ${this.#settings.name}`;
    return classifySsh(error, { what, context: this.#context });
  }
}
