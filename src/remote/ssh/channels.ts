/**
 * Finds a channel for whoever needs one. The main connection comes first; where the host allows too
 * few channels on it (MaxSessions), up to three more connections are made (one each for SFTP, a slow
 * shell, and a new control shell while the old one is stuck) and closed when empty.
 */
import type { ClientChannel, SFTPWrapper } from 'ssh2';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { ProcessOptions } from '../host.ts';
import type { ShellPort } from '../shell/control-shell.ts';
import type { SshConnection } from './connection.ts';

const EXTRA_CONNECTIONS_MAX = 3;
/** A shell that was given up holds its connection until the host has ended it, which takes a moment, or some on a busy host. */
export const ROOM_WAIT_MS = 15_000;

/** A channel and the connection that has to hear when it is given up. */
export interface OwnChannel {
  connection: SshConnection;
  channel: ClientChannel;
}

export class Channels {
  readonly #main: SshConnection;
  readonly #connect: () => Promise<SshConnection>;
  readonly #single: () => boolean;
  #extra: SshConnection[] = [];
  /** Of the extra connections, those made for processes. */
  #ofProcesses = 0;
  readonly #connecting = new Set<Promise<SshConnection>>();
  readonly #awaitingRoom = new Set<() => void>();

  /** `single`: no connection may be made beside the main one. */
  constructor(
    main: SshConnection,
    connect: () => Promise<SshConnection>,
    single: () => boolean = () => false,
  ) {
    this.#main = main;
    this.#connect = connect;
    this.#single = single;
  }

  /** @throws SSH_* */
  async shell(): Promise<ShellPort> {
    return await this.#open(async (connection) => toPort(connection, await connection.openShell()));
  }

  /** @throws SSH_* */
  sftp(): Promise<SFTPWrapper> {
    return this.#open((connection) => connection.openSftp());
  }

  /**
   * One that may stay open for long: beyond the main connection all of them share one that is made
   * for them, so that work never waits for somebody who looks inside a task. @throws SSH_*
   */
  process(tty: ProcessOptions['tty']): Promise<OwnChannel> {
    return this.#open(
      async (connection) => ({ connection, channel: await connection.openProcess(tty) }),
      { forProcess: true },
    );
  }

  close(): void {
    this.#main.close();
    for (const connection of this.#extra) connection.close();
    this.#extra = [];
  }

  async #open<T>(
    open: (connection: SshConnection) => Promise<T>,
    { mayWait = true, forProcess = false } = {},
  ): Promise<T> {
    let refusal: AppError | undefined;
    for (const connection of [this.#main, ...this.#extra]) {
      if (!connection.hasRoom) continue;
      try {
        return await open(connection);
      } catch (error) {
        if (!isAppError(error) || error.code !== 'SSH_CHANNEL_REFUSED') throw error;
        refusal = error;
      }
    }
    if (this.#mayConnect(forProcess)) {
      return await open(await this.#connectExtra(forProcess));
    }
    if (this.#connecting.size === 0) {
      if (mayWait && (await this.#roomSoon()))
        return await this.#open(open, { mayWait: false, forProcess });
      throw refusal ?? noRoom();
    }
    // One that is just being made may turn out to be free.
    await Promise.race([...this.#connecting].map((making) => making.catch(() => {})));
    return await this.#open(open, { mayWait, forProcess });
  }

  #mayConnect(forProcess: boolean): boolean {
    if (this.#single()) return false;
    if (forProcess) return this.#ofProcesses === 0;
    return this.#extra.length + this.#connecting.size - this.#ofProcesses < EXTRA_CONNECTIONS_MAX;
  }

  /** True when a connection was closed within a moment, so that there may be room. */
  #roomSoon(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (room: boolean): void => {
        clearTimeout(timer);
        this.#awaitingRoom.delete(closed);
        resolve(room);
      };
      const closed = (): void => settle(true);
      const timer = setTimeout(() => settle(false), ROOM_WAIT_MS);
      this.#awaitingRoom.add(closed);
    });
  }

  #connectExtra(forProcess: boolean): Promise<SshConnection> {
    if (forProcess) this.#ofProcesses += 1;
    const gone = (): void => {
      if (forProcess) this.#ofProcesses -= 1;
    };
    const making = this.#connect().then((connection) => this.#adopt(connection));
    this.#connecting.add(making);
    const made = (): void => void this.#connecting.delete(making);
    making.then(made, made);
    making.then((connection) => connection.onLost(gone), gone);
    return making;
  }

  #adopt(connection: SshConnection): SshConnection {
    this.#extra.push(connection);
    connection.onLost(() => {
      this.#extra = this.#extra.filter((other) => other !== connection);
      for (const closed of [...this.#awaitingRoom]) closed();
    });
    connection.onIdle(() => connection.close());
    // A main connection that was lost meanwhile takes the whole link with it.
    this.#main.onLost(() => connection.close());
    return connection;
  }
}

const COMPLAINT_MAX = 200;

function noRoom(): AppError {
  return new AppError('SSH_CHANNEL_REFUSED', 'all channels that the host allows are in use');
}

function toPort(connection: SshConnection, channel: ClientChannel): ShellPort {
  // What a login shell says on stderr is noise too, and unread it would stall stdout; why it gives no shell is there.
  let complaint = '';
  channel.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_MAX)
      complaint += chunk.toString('utf8', 0, COMPLAINT_MAX - complaint.length);
  });
  return {
    complaint: () => complaint.trim(),
    write: (text) => channel.write(text),
    abandon: () => connection.abandon(channel),
    onData: (listener) => channel.on('data', listener),
    onEnd: (listener) => channel.once('close', listener),
  };
}
