/**
 * The one way to a login: every connection, those of ssh2-sftp-client included, gets its socket and
 * its options here. In: settings. Out: an open TCP connection and options that hold the strict
 * host-key check, the key files and the algorithms. Never here: reconnecting (keeper.ts).
 */

import { readFile } from 'node:fs/promises';
import { type Socket, connect as tcpConnect } from 'node:net';
import type { AuthHandlerMiddleware, ConnectConfig } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { classifySsh } from '../classify.ts';
import type { HostSettings } from '../settings.ts';
import { withDeadline } from '../settle.ts';
import { algorithmsFor } from './algorithms.ts';
import { changedKey, judgeHostKey } from './host-key.ts';
import { type HostPins, type KnownHostsFile, pinsFor } from './known-hosts.ts';
import type { LoginBudget } from './login-budget.ts';
import { type PrivateKey, readPrivateKeys } from './private-keys.ts';

/** One try to log in, ready to be handed to a client. */
export interface Login {
  config: ConnectConfig;
  socket: Socket;
  /** The AppError behind whatever error the client gave. */
  explain: (error: unknown) => AppError;
}

export interface Door {
  settings: HostSettings;
  budget: LoginBudget;
  /** The address of the links that are up: a name for many machines must not give a mixed host. */
  pinnedAddress: () => string | undefined;
}

/** The facts that hints and messages about a host's links need. */
export function hostContext(settings: HostSettings): ErrorContext {
  const { name, hostname, port, user, knownHostsFiles } = settings;
  return { host: name, hostname, port, user, knownHosts: knownHostsFiles[0] };
}

/**
 * Waits for its turn and for the login budget, connects, and lets `attach` log in over it.
 * @throws SSH_*
 */
export async function logIn<T>(door: Door, attach: (login: Login) => Promise<T>): Promise<T> {
  const { settings } = door;
  const context = hostContext(settings);
  const pins = await readPins(settings, context);
  const keys = await readPrivateKeys(settings, context);
  return await door.budget.admit(async (unseen) => {
    const socket = await dial(door, context).catch((error: unknown) => {
      unseen();
      throw error;
    });
    const login = prepare(socket, { settings, pins, keys, context });
    try {
      return await withDeadline(attach(login), settings.connectTimeoutMs + 1_000, () =>
        login.explain(new Error('Timed out while waiting for handshake')),
      );
    } catch (error) {
      socket.destroy();
      throw login.explain(error);
    }
  });
}

/** What the files say about the host. @throws SSH_KNOWN_HOSTS_UNREADABLE */
export async function readPins(settings: HostSettings, context: ErrorContext): Promise<HostPins> {
  const files: KnownHostsFile[] = [];
  for (const path of settings.knownHostsFiles) {
    try {
      files.push({ path, text: await readFile(path, 'utf8') });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      const message = `known_hosts of host ${settings.name}: ${(error as Error).message}`;
      throw new AppError('SSH_KNOWN_HOSTS_UNREADABLE', message, { context, cause: error });
    }
  }
  return pinsFor(files, settings.hostname, settings.port);
}

async function dial({ settings, pinnedAddress }: Door, context: ErrorContext): Promise<Socket> {
  const host = pinnedAddress() ?? settings.hostname;
  const where = `connect to host ${settings.name} (${settings.hostname}:${settings.port})`;
  // Without noDelay each small message waits for the acknowledgement of the one before it.
  const socket = tcpConnect({ host, port: settings.port, noDelay: true });
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.on('error', reject);
  });
  try {
    await withDeadline(connected, settings.connectTimeoutMs, () => {
      const message = `${where}: no answer within ${settings.connectTimeoutMs} ms`;
      return new AppError('SSH_HOST_UNREACHABLE', message, { context });
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw classifySsh(error, { what: where, context });
  }
}

interface Prepared {
  settings: HostSettings;
  pins: HostPins;
  keys: PrivateKey[];
  context: ErrorContext;
}

function prepare(socket: Socket, { settings, pins, keys, context }: Prepared): Login {
  const { name, hostname, port, user } = settings;
  let refusal: AppError | undefined;
  let wantsMore: string | undefined;
  const offered: PrivateKey[] = [];
  const explain = (error: unknown): AppError => {
    if (refusal !== undefined) return refusal;
    if (pins.pinned.length > 0 && /no matching host key/i.test(String(error))) {
      return changedKey(pins.pinned, 'offers no key of a pinned type', context);
    }
    const plain = classifySsh(error, {
      what: `login to host ${name} (${hostname}:${port})`,
      context,
    });
    if (plain.code !== 'SSH_AUTH_FAILED') return plain;
    return authFailure({ user, offered, wantsMore, context, cause: error });
  };
  const config: ConnectConfig = {
    sock: socket,
    username: user,
    algorithms: algorithmsFor(pins.pinned),
    hostVerifier: (key: Buffer): boolean => {
      refusal = judgeHostKey(pins, key, context);
      return refusal === undefined;
    },
    authHandler: offerInTurn(keys, {
      user,
      note: (key) => offered.push(key),
      partial: (left) => {
        wantsMore = left;
      },
    }),
    agentForward: false,
    readyTimeout: settings.connectTimeoutMs,
    keepaliveInterval: settings.keepaliveIntervalMs,
    // Silence is judged by watchdog.ts, which takes any byte as a sign of life.
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
  };
  return { config, socket, explain };
}

interface OfferNotes {
  user: string;
  note: (key: PrivateKey) => void;
  partial: (methodsLeft: string) => void;
}

function offerInTurn(
  keys: PrivateKey[],
  { user, note, partial }: OfferNotes,
): AuthHandlerMiddleware {
  let index = 0;
  return (methodsLeft, partialSuccess, next) => {
    if (partialSuccess) partial(methodsLeft.join(', '));
    const entry = partialSuccess ? undefined : keys[index];
    index += 1;
    if (entry === undefined) {
      // ssh2 takes false for "nothing left"; its types do not know.
      next(false as never);
      return;
    }
    note(entry);
    next({ type: 'publickey', username: user, key: entry.key });
  };
}

interface AuthFacts {
  user: string;
  offered: PrivateKey[];
  wantsMore: string | undefined;
  context: ErrorContext;
  cause: unknown;
}

function authFailure({ user, offered, wantsMore, context, cause }: AuthFacts): AppError {
  const keys = offered.map((key) => key.label).join('; ');
  const message =
    wantsMore === undefined
      ? `host ${context['host']} (${context['hostname']}:${context['port']}) accepts none of the keys offered for user ${user}: ${keys}`
      : `host ${context['host']} accepts ${keys} for user ${user} but wants more: ${wantsMore}`;
  return new AppError('SSH_AUTH_FAILED', message, { context: { ...context, keys }, cause });
}
