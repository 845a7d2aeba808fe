/** From the first byte to the login: connection, version, host key, authentication, each told apart. */
import { type Socket, connect as tcpConnect } from 'node:net';
import { Client } from 'ssh2';
import {
  AppError,
  type ErrorCode,
  type FailureRecord,
  toAppError,
} from '../../../domain/failure.ts';
import type { LinkInspection } from '../../inspection.ts';
import { withDeadline } from '../../settle.ts';
import { hostContext, type Login, logIn } from '../connect.ts';
import type { ConnectionDeps } from '../connection.ts';
import { fingerprint } from '../host-key.ts';
import type { HostPins } from '../known-hosts.ts';
import { readPins } from '../read-pins.ts';
import { type AuthNotes, noteAuth } from './auth-notes.ts';
import { HelloReader } from './hello.ts';

/** Logins of the tasks come first; whoever asks for a doctor does not want to wait for long. */
const TURN_TIMEOUT_MS = 15_000;
const HELLO_TIMEOUT_MS = 3_000;

/** Met before anything is dialled: what the host would say is asked without a login. */
const BEFORE_DIALLING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SSH_KEY_UNREADABLE',
  'SSH_KNOWN_HOSTS_UNREADABLE',
]);

interface Notes extends AuthNotes {
  hello: HelloReader;
  dialledAt: number;
  tcp?: { address: string; ms?: number };
  shown?: string;
  banner: string;
  /** The host key was found good. */
  trusted: boolean;
}

/** Tells each part up to the login, and gives the connection when there is one. */
export async function lookAtLogin(
  deps: ConnectionDeps,
  tell: (part: LinkInspection) => void,
): Promise<Client | undefined> {
  const notes = newNotes();
  const pins = await readPins(deps.door.settings, hostContext(deps.door.settings)).catch(() => {});
  try {
    const client = await attempt(deps, notes);
    tell({ ...helloParts(notes), hostKey: keySeen(notes, pins), auth: authSeen(notes) });
    return client;
  } catch (error) {
    const { code, ...rest } = toAppError(error).toRecord();
    const direct = deps.door.settings.jumps.length === 0;
    if (direct && BEFORE_DIALLING.has(code)) await justSayHello(deps, notes);
    tell(blame(notes, pins, { code, ...rest }));
    return undefined;
  }
}

function newNotes(): Notes {
  const hello = new HelloReader();
  return { hello, dialledAt: 0, banner: '', trusted: false, methods: [], tries: [] };
}

/** @throws SSH_* */
async function attempt(deps: ConnectionDeps, notes: Notes): Promise<Client> {
  const { settings } = deps.door;
  let late = false;
  // The door asks for the address as its last act before it dials.
  const pinnedAddress = (): string | undefined => {
    notes.dialledAt = performance.now();
    return deps.door.pinnedAddress();
  };
  const login = logIn({ ...deps.door, pinnedAddress }, async (ready) => {
    if (late) throw new AppError('HOST_CALL_ABORTED', 'nobody waits for this login any more');
    return await authenticate(deps, ready, notes);
  });
  login.catch(() => {});
  const limitMs = TURN_TIMEOUT_MS + 2 * settings.connectTimeoutMs;
  return await withDeadline(login, limitMs, () => {
    late = true;
    const message = `host ${settings.name}: no turn to log in within ${limitMs} ms; tasks use up the logins`;
    return new AppError('SSH_HOST_UNREACHABLE', message, { context: hostContext(settings) });
  });
}

function authenticate(deps: ConnectionDeps, login: Login, notes: Notes): Promise<Client> {
  const { socket } = login;
  const ms = notes.dialledAt === 0 ? undefined : performance.now() - notes.dialledAt;
  notes.tcp = { address: socket.remoteAddress ?? '', ...(ms !== undefined && { ms }) };
  deps.traffic.track(socket);
  socket.on('data', (chunk: Buffer) => notes.hello.feed(chunk));
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once('ready', () => {
      deps.counters.logins += 1;
      const last = notes.tries.at(-1);
      if (last !== undefined) last.verdict = 'accepted';
      resolve(client);
    });
    client.on('banner', (text) => {
      notes.banner += text;
    });
    // Stays attached: ssh2 may emit several errors for one failure.
    client.on('error', reject);
    client.once('close', () =>
      reject(new Error('Connection lost: closed by the host during login')),
    );
    client.connect(noteKey(noteAuth(login.config, notes), notes));
  });
}

function noteKey(config: Login['config'], notes: Notes): Login['config'] {
  const verify = config.hostVerifier as (key: Buffer) => boolean;
  const hostVerifier = (key: Buffer): boolean => {
    notes.shown = `${blobType(key)} ${fingerprint(key)}`;
    notes.trusted = verify(key);
    return notes.trusted;
  };
  return { ...config, hostVerifier };
}

function blobType(blob: Buffer): string {
  return blob.toString('latin1', 4, 4 + Math.min(64, blob.readUInt32BE(0)));
}

/** One connection without a login: version and key types only. */
async function justSayHello({ door }: ConnectionDeps, notes: Notes): Promise<void> {
  const { hostname: host, port } = door.settings;
  const startedAt = performance.now();
  const socket: Socket = tcpConnect({ host, port, noDelay: true });
  const said = new Promise<void>((resolve) => {
    socket.on('error', () => resolve());
    socket.once('close', () => resolve());
    socket.once('connect', () => {
      notes.tcp = { address: socket.remoteAddress ?? '', ms: performance.now() - startedAt };
      socket.write('SSH-2.0-towline\r\n');
    });
    socket.on('data', (chunk: Buffer) => {
      notes.hello.feed(chunk);
      if (notes.hello.hostKeyTypes !== undefined) resolve();
    });
  });
  await withDeadline(said, HELLO_TIMEOUT_MS, () => new Error('late')).catch(() => {});
  socket.destroy();
}

function helloParts({ hello, tcp }: Notes): LinkInspection {
  if (tcp === undefined) return {};
  if (hello.server === undefined) return { tcp: { found: tcp } };
  const banner = { found: { server: hello.server, before: hello.before } };
  return { tcp: { found: tcp }, banner };
}

function keySeen({ hello, shown }: Notes, pins: HostPins | void): LinkInspection['hostKey'] {
  const pinned = (pins?.pinned ?? []).map(
    ({ type, blob, file, line }) => `${type} ${fingerprint(blob)} at ${file}:${line}`,
  );
  return { found: { offered: hello.hostKeyTypes ?? [], shown, pinned } };
}

function authSeen({ methods, tries, banner }: Notes): LinkInspection['auth'] {
  return { found: { methods, tries, banner } };
}

/** Puts the failure on the part where it happened; the parts before it went well. */
function blame(notes: Notes, pins: HostPins | void, failure: FailureRecord): LinkInspection {
  const { hello, tcp } = notes;
  const parts = helloParts(notes);
  if (tcp === undefined) return { tcp: { failure } };
  if (hello.server === undefined) {
    const before = hello.before + hello.rest;
    return { ...parts, banner: { found: { server: '', before }, failure } };
  }
  const hostKey = keySeen(notes, pins);
  const mine = BEFORE_DIALLING.has(failure.code) && failure.code !== 'SSH_KNOWN_HOSTS_UNREADABLE';
  if (!notes.trusted && !mine) return { ...parts, hostKey: { ...hostKey, failure } };
  return { ...parts, hostKey, auth: { ...authSeen(notes), failure } };
}
