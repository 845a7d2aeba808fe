/**
 * The link that everything small goes over: the quick control shell, the slow lanes, and the SFTP
 * channel that reads logs and lists directories. It is ready when shell and SFTP both answered.
 */
import { AppError, isAppError } from '../../domain/failure.ts';
import type { HostDeps } from '../deps.ts';
import type { Ask, ProcessOptions } from '../host.ts';
import { SftpSession } from '../sftp/session.ts';
import { SessionSlot } from '../sftp/slot.ts';
import { ControlShell, type ShellDeps } from '../shell/control-shell.ts';
import { explainFirstFailure, FIRST_WORDS, judgeFirstAnswer } from '../shell/login-shell.ts';
import { SlowLanes } from '../shell/slow-lanes.ts';
import { Channels, type OwnChannel } from './channels.ts';
import { hostContext } from './connect.ts';
import { type ConnectionDeps, connectHost, type SshConnection } from './connection.ts';
import type { KeptLink } from './keeper.ts';

const SLOW_LANES_MAX = 2;
/** Startup files on a login node that is busy take their time. */
const FIRST_ANSWER_TIMEOUT_MS = 20_000;

/**
 * Connects and waits for the first answers. With `ask` somebody answers what the host wants to know.
 * @throws SSH_* HOST_COMMAND_TIMEOUT HOST_REPLY_INVALID HOST_SHELL_UNUSABLE
 */
export async function openControlLink(
  deps: ConnectionDeps & HostDeps,
  ask?: Ask,
): Promise<ControlLink> {
  const link = new ControlLink(await connectHost(deps, ask), deps);
  const context = hostContext(deps.door.settings);
  let login: string | undefined;
  try {
    // A link that already answers nobody must not be half trusted.
    const purpose = 'first answer of the shell';
    const hello = await link.quick.run(FIRST_WORDS, {
      purpose,
      deadlineMs: FIRST_ANSWER_TIMEOUT_MS,
    });
    const judged = judgeFirstAnswer(hello.output, context);
    if (judged.finding !== undefined) throw judged.finding;
    login = judged.login;
    // Not at once with the shell: text where SFTP should begin ends the connection, and with it what the
    // shell had to say.
    await link.sftp.session();
    return link;
  } catch (error) {
    link.close();
    throw isAppError(error) ? explainFirstFailure(error, login, context) : error;
  }
}

export class ControlLink implements KeptLink {
  readonly quick: ControlShell;
  readonly slow: SlowLanes;
  readonly sftp: SessionSlot;
  readonly address: string | undefined;
  readonly #connection: SshConnection;
  readonly #channels: Channels;
  readonly #host: string;

  constructor(connection: SshConnection, deps: ConnectionDeps & HostDeps) {
    const { settings } = deps.door;
    const { clock, counters } = deps;
    const context = hostContext(settings);
    const single = (): boolean => connection.interactive || deps.singleConnection();
    const channels = new Channels(connection, () => connectHost(deps), single);
    const shellDeps: ShellDeps = { open: () => channels.shell(), clock, counters, context };
    const { progressTimeoutMs, idleCloseMs, name } = settings;
    this.quick = new ControlShell(shellDeps);
    this.slow = new SlowLanes(shellDeps, { max: SLOW_LANES_MAX, idleCloseMs });
    this.sftp = new SessionSlot(async () => {
      const raw = await channels.sftp();
      return new SftpSession(raw, { clock, counters, context, progressTimeoutMs });
    });
    this.address = connection.address;
    this.#connection = connection;
    this.#channels = channels;
    this.#host = name;
    connection.onLost((error) => {
      this.quick.end(error);
      this.slow.end(error);
    });
  }

  /** A shell that is not shared. @throws SSH_* */
  openProcess(tty: ProcessOptions['tty']): Promise<OwnChannel> {
    return this.#channels.process(tty);
  }

  /** Somebody answered for it: it is the only connection there may be. */
  get interactive(): boolean {
    return this.#connection.interactive;
  }

  onLost(listener: (error: AppError) => void): void {
    this.#connection.onLost(listener);
  }

  close(): void {
    const reason = new AppError('HOST_CALL_ABORTED', `the link to host ${this.#host} was closed`);
    this.quick.end(reason);
    this.slow.end(reason);
    this.#channels.close();
  }
}
