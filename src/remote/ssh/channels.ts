/**
 * Finds a channel for whoever needs one. The main connection comes first; where the host allows too
 * few channels on it (MaxSessions), up to three more connections are made (one each for SFTP, a slow
 * shell, and a new control shell while the old one is stuck) and closed when empty.
 */
import type { ClientChannel, SFTPWrapper } from 'ssh2';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { ShellPort } from '../shell/control-shell.ts';
import type { SshConnection } from './connection.ts';

const EXTRA_CONNECTIONS_MAX = 3;
/** A shell that was given up holds its connection until the host has ended it, which takes a moment. */
const ROOM_WAIT_MS = 5_000;

export class Channels {
  readonly #main: SshConnection;
  readonly #connect: () => Promise<SshConnection>;
  readonly #single: () => boolean;
  #extra: SshConnection[] = [];
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

  close(): void {
    this.#main.close();
    for (const connection of this.#extra) connection.close();
    this.#extra = [];
  }

  async #open<T>(open: (connection: SshConnection) => Promise<T>, mayWait = true): Promise<T> {
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
    if (this.#mayConnect()) {
      return await open(await this.#connectExtra());
    }
    if (this.#connecting.size === 0) {
      if (mayWait && (await this.#roomSoon())) return await this.#open(open, false);
      throw refusal ?? noRoom();
    }
    // One that is just being made may turn out to be free.
    await Promise.race([...this.#connecting].map((making) => making.catch(() => {})));
    return await this.#open(open, mayWait);
  }

  #mayConnect(): boolean {
    if (this.#single()) return false;
    return this.#extra.length + this.#connecting.size < EXTRA_CONNECTIONS_MAX;
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

  #connectExtra(): Promise<SshConnection> {
    const making = this.#connect().then((connection) => this.#adopt(connection));
    this.#connecting.add(making);
    const made = (): void => void this.#connecting.delete(making);
    making.then(made, made);
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

function noRoom(): AppError {
  return new AppError('SSH_CHANNEL_REFUSED', 'all channels that the host allows are in use');
}

function toPort(connection: SshConnection, channel: ClientChannel): ShellPort {
  // What a login shell says on stderr is noise too, and unread it would stall stdout.
  channel.stderr.resume();
  return {
    write: (text) => channel.write(text),
    abandon: () => connection.abandon(channel),
    onData: (listener) => channel.on('data', listener),
    onEnd: (listener) => channel.once('close', listener),
  };
}
