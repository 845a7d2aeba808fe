/**
 * One authenticated SSH connection and its channels. It is lost once and for all: on an error, a
 * close, silence, or a channel request that gets no answer; everything pending on it then rejects.
 */
import { Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { classifySsh } from '../classify.ts';
import type { Clock } from '../clock.ts';
import type { Ask, HostCounters, ProcessOptions } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import { withDeadline } from '../settle.ts';
import type { ChannelCount } from './channel-count.ts';
import { type Door, hostContext, type Login, logIn } from './connect.ts';
import { provenKeys } from './key-rotation.ts';
import type { Traffic } from './traffic.ts';
import { Tunnel } from './tunnel.ts';
import { watchSilence } from './watchdog.ts';
import type { Wire } from './wire.ts';

const CHANNEL_OPEN_TIMEOUT_MS = 10_000;

export interface ConnectionDeps {
  door: Door;
  clock: Clock;
  counters: HostCounters;
  traffic: Traffic;
  /** All there is goes over one connection; no other may be made beside it. */
  singleConnection: () => boolean;
  channels: ChannelCount;
}

type Opened<T> = (error: Error | undefined, channel: T) => void;

/**
 * Logs in and gives the connection. With `ask` somebody answers what the host wants to know.
 * @throws SSH_*
 */
export function connectHost(deps: ConnectionDeps, ask?: Ask): Promise<SshConnection> {
  const attach = async (login: Login): Promise<SshConnection> => {
    deps.traffic.track(login.socket);
    const client = await authenticate(login, deps.door);
    deps.counters.logins += 1;
    return new SshConnection(client, login, deps);
  };
  return logIn(deps.door, attach, ask);
}

function authenticate({ config }: Login, { onHostKeys }: Door): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once('ready', () => resolve(client));
    // Stays attached: ssh2 may emit several errors for one failure, and an unheard one would throw.
    client.on('error', (error: Error & { level?: string }) => {
      // A key that the agent does not sign for is passed over; the next one is offered.
      if (error.level !== 'agent') reject(error);
    });
    client.once('close', () =>
      reject(new Error('Connection lost: closed by the host during login')),
    );
    client.on('hostkeys', (keys) => onHostKeys?.(provenKeys(keys)));
    client.connect(config);
  });
}

export class SshConnection {
  readonly #client: Client;
  readonly #socket: Wire;
  readonly #settings: HostSettings;
  readonly #counters: HostCounters;
  readonly #context: ErrorContext;
  readonly #pending = new Set<(error: AppError) => void>();
  readonly #lostListeners: Array<(error: AppError) => void> = [];
  readonly #idleListeners: Array<() => void> = [];
  readonly #stopWatch: () => void;
  readonly #tunnels = new Set<Tunnel>();
  /** Somebody answered for it: another one cannot be made by ourselves. */
  readonly interactive: boolean;
  #lost: AppError | undefined;
  #open = 0;
  readonly #abandoned = new Set<ClientChannel>();
  readonly #channels: ChannelCount;
  /** Learnt from the first refusal, on this connection or an earlier one. */
  #limit: number;

  constructor(client: Client, { socket, interactive }: Login, deps: ConnectionDeps) {
    const { door, clock, counters, channels, singleConnection } = deps;
    const { settings } = door;
    this.interactive = interactive();
    this.#channels = channels;
    this.#limit = channels.limit();
    channels.connected(1);
    this.#client = client;
    this.#socket = socket;
    this.#settings = settings;
    this.#counters = counters;
    this.#context = hostContext(settings);
    client.on('error', (error) => this.#lose(error.message));
    client.on('close', () => this.#lose('closed by the host'));
    // Where bulk data shares the link, its own progress deadline is the shortest fair one.
    const sharedMisses = Math.ceil(settings.progressTimeoutMs / settings.keepaliveIntervalMs);
    const single = this.interactive || singleConnection();
    const misses = single ? sharedMisses : settings.keepaliveMisses;
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

  /** Bytes that came from the host: when there are more of them later, it lives. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
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
   * A stream to another host as this one sees it. The caller minds the time, and says which host.
   * @throws SSH_CONNECTION_LOST, and what ssh2 says of a host that refuses
   */
  openTunnel(hostname: string, port: number): Promise<Tunnel> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const { promise, resolve, reject } = Promise.withResolvers<Tunnel>();
    this.#pending.add(reject);
    try {
      this.#client.forwardOut('127.0.0.1', 0, hostname, port, (error, channel) => {
        if (error) reject(error);
        else resolve(this.#keep(new Tunnel(channel)));
      });
    } catch (error) {
      reject(error);
    }
    return promise.finally(() => this.#pending.delete(reject));
  }

  #keep(tunnel: Tunnel): Tunnel {
    this.#tunnels.add(tunnel);
    tunnel.once('close', () => this.#tunnels.delete(tunnel));
    return tunnel;
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
      this.#channels.opened(1);
      channel.on('error', () => {});
      channel.once('close', () => {
        this.#channels.opened(-1);
        this.#release(channel);
      });
      return channel;
    } catch (error) {
      // First: an empty connection is closed by the release, and then only that would be told.
      const failure = this.#failure(error);
      this.#release();
      if (failure.code === 'SSH_CHANNEL_REFUSED') {
        this.#limit = this.#open;
        this.#channels.refused(this.#open);
      }
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
    this.#channels.connected(-1);
    this.#endSocket();
    for (const tunnel of this.#tunnels) tunnel.destroy(new Error(`Connection lost: ${message}`));
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
