/**
 * The one way to a login: every connection, those of ssh2-sftp-client and to jump hosts included, gets
 * its stream and its options here. In: settings. Out: an open connection, direct or through a jump
 * host, and options that hold the strict host-key check, the keys and the algorithms. Never here:
 * reconnecting (keeper.ts), which key comes next (auth-plan.ts).
 */

import { connect as tcpConnect } from 'node:net';
import type PQueue from 'p-queue';
import type { ConnectConfig } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { classifySsh } from '../classify.ts';
import type { Ask } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import { withDeadline, withPatience } from '../settle.ts';
import { algorithmsFor } from './algorithms.ts';
import { type Authentication, prepareAuthentication } from './authentication.ts';
import { type FirstWords, hearFirstWords } from './first-words.ts';
import { gatherWrites } from './gather-writes.ts';
import { changedKey, judgeHostKey } from './host-key.ts';
import type { HostPins } from './known-hosts.ts';
import type { LoginBudget } from './login-budget.ts';
import type { KeyMemory } from './offers.ts';
import { readPins } from './read-pins.ts';
import type { PublicKey } from './trust-file.ts';
import type { Wire } from './wire.ts';

/** One try to log in, ready to be handed to a client. */
export interface Login {
  config: ConnectConfig;
  socket: Wire;
  /** The AppError behind whatever error the client gave. */
  explain: (error: unknown) => AppError;
  /** A person answered, so that this login cannot be repeated by ourselves. */
  interactive: () => boolean;
}

/** The way to a host that is reached through another one. */
export interface Road {
  /** Makes sure that the last jump host is there, and keeps it until the passage is released. */
  hold(ask?: Ask): Promise<Passage>;
}

export interface Passage {
  /** @throws SSH_* */
  open(): Promise<Wire>;
  release(): void;
}

export interface Door {
  settings: HostSettings;
  budget: LoginBudget;
  /** Those of all hosts take turns. */
  handshakes: PQueue;
  memory: KeyMemory;
  /** Undefined: straight from here. */
  road?: Road | undefined;
  /** The address of the links that are up: a name for many machines must not give a mixed host. */
  pinnedAddress: () => string | undefined;
  /** Told the host keys that the host has proven over a link whose own key was verified. */
  onHostKeys?: (keys: PublicKey[]) => void;
}

/** The facts that hints and messages about a host's links need. */
export function hostContext(settings: HostSettings): ErrorContext {
  const { name, hostname, port, user, knownHostsFiles } = settings;
  return { host: name, hostname, port, user, knownHosts: knownHostsFiles[0] };
}

/**
 * Waits for its turn and for the login budget, connects, and lets `attach` log in over it. With `ask`
 * somebody answers what the host wants to know, and that time does not count.
 * @throws SSH_*
 */
export async function logIn<T>(
  door: Door,
  attach: (login: Login) => Promise<T>,
  ask?: Ask,
): Promise<T> {
  const { settings, memory } = door;
  const context = hostContext(settings);
  const pins = await readPins(settings, context);
  const authentication = await prepareAuthentication({ settings, context, memory, ask });
  const passage = await door.road?.hold(ask);
  try {
    return await door.budget.admit(async (unseen, mute) => {
      const socket = await reachHost(door, { context, passage }).catch((error: unknown) => {
        unseen();
        throw error;
      });
      const prepared = { socket, settings, pins, authentication, context, mute };
      const login = (): Promise<T> => attachTo(prepared, attach);
      // a person must not keep others waiting
      return await (ask === undefined ? door.handshakes.add(login) : login());
    });
  } finally {
    passage?.release();
  }
}

interface Prepared {
  socket: Wire;
  settings: HostSettings;
  pins: HostPins;
  authentication: Authentication;
  context: ErrorContext;
  /** To be called when the host closed without a word. */
  mute: () => void;
}

async function attachTo<T>(prepared: Prepared, attach: (login: Login) => Promise<T>): Promise<T> {
  const { socket, settings, authentication, mute } = prepared;
  const words = hearFirstWords(socket);
  const login = prepare(prepared);
  socket.once('close', () => authentication.end());
  try {
    // it may have hung up while the login waited for its turn
    if (socket.destroyed) throw socket.errored ?? new Error('Connection lost before handshake');
    const attached = await withPatience(attach(login), settings.connectTimeoutMs + 1_000, {
      late: () => login.explain(new Error('Timed out while waiting for handshake')),
      paused: () => authentication.asking,
    });
    authentication.succeeded();
    return attached;
  } catch (error) {
    socket.destroy();
    const failure = login.explain(error);
    if (failure.code !== 'SSH_CONNECTION_LOST' || words.banner()) throw failure;
    if (words.text() === '') mute();
    throw turnedAway(failure, words);
  }
}

/** A connection that was lost before the banner, with what was said instead of it. */
function turnedAway(lost: AppError, words: FirstWords): AppError {
  if (words.text() === '') return lost;
  const { context, cause } = lost;
  const code = words.turnedAway() ? 'SSH_HOST_BUSY' : lost.code;
  return new AppError(code, `${lost.message}; it said "${words.text()}"`, { context, cause });
}

/**
 * As logIn, for somebody who only looks at who answers: the same turn, budget and way, but no login.
 * @throws SSH_*
 */
export async function knock<T>(door: Door, look: (wire: Wire) => Promise<T>): Promise<T> {
  const context = hostContext(door.settings);
  const passage = await door.road?.hold();
  try {
    return await door.budget.admit(async (unseen) => {
      const wire = await reachHost(door, { context, passage }).catch((error: unknown) => {
        unseen();
        throw error;
      });
      return await look(wire);
    });
  } finally {
    passage?.release();
  }
}

async function reachHost(
  door: Door,
  { context, passage }: { context: ErrorContext; passage: Passage | undefined },
): Promise<Wire> {
  return passage === undefined ? await dial(door, context) : await passage.open();
}

async function dial({ settings, pinnedAddress }: Door, context: ErrorContext): Promise<Wire> {
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
    return gatherWrites(socket);
  } catch (error) {
    socket.destroy();
    throw classifySsh(error, { what: where, context });
  }
}

function prepare({ socket, settings, pins, authentication, context }: Prepared): Login {
  const { name, hostname, port, user } = settings;
  let refusal: AppError | undefined;
  const explain = (error: unknown): AppError => {
    if (refusal !== undefined) return refusal;
    if (pins.pinned.length > 0 && /no matching host key/i.test(String(error))) {
      return changedKey(pins.pinned, 'offers no key of a pinned type', context);
    }
    const what = `login to host ${name} (${hostname}:${port})`;
    const plain = classifySsh(error, { what, context });
    return plain.code === 'SSH_AUTH_FAILED' ? authentication.failure(error) : plain;
  };
  const config: ConnectConfig = {
    sock: socket,
    username: user,
    algorithms: algorithmsFor(pins.pinned),
    hostVerifier: (key: Buffer): boolean => {
      refusal = judgeHostKey(pins, key, context);
      return refusal === undefined;
    },
    authHandler: authentication.handler,
    agentForward: false,
    // The time a person takes is no time that the host takes: attachTo() tells them apart.
    readyTimeout: authentication.mayAsk ? 0 : settings.connectTimeoutMs,
    keepaliveInterval: settings.keepaliveIntervalMs,
    // Silence is judged by watchdog.ts, which takes any byte as a sign of life.
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
  };
  return { config, socket, explain, interactive: () => authentication.asked };
}
