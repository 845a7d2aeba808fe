/**
 * Foreign errors of the network, of ssh2 and of SFTP servers as AppErrors, by tables. Every room
 * beyond the bridge sees only what comes out of here.
 */
import { AppError, type ErrorCode, type ErrorContext, isAppError } from '../domain/failure.ts';
import { shownName } from '../domain/shown.ts';

const MESSAGE_CHARS_MAX = 500;

const NETWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'SSH_HOST_NAME_UNKNOWN',
  EAI_AGAIN: 'SSH_HOST_NAME_UNKNOWN',
  EAI_NONAME: 'SSH_HOST_NAME_UNKNOWN',
  EAI_NODATA: 'SSH_HOST_NAME_UNKNOWN',
  ECONNREFUSED: 'SSH_CONNECTION_REFUSED',
  ETIMEDOUT: 'SSH_HOST_UNREACHABLE',
  EHOSTUNREACH: 'SSH_HOST_UNREACHABLE',
  EHOSTDOWN: 'SSH_HOST_UNREACHABLE',
  ENETUNREACH: 'SSH_HOST_UNREACHABLE',
  ENETDOWN: 'SSH_HOST_UNREACHABLE',
  EADDRNOTAVAIL: 'SSH_HOST_UNREACHABLE',
  ECONNRESET: 'SSH_CONNECTION_LOST',
  ECONNABORTED: 'SSH_CONNECTION_LOST',
  EPIPE: 'SSH_CONNECTION_LOST',
};

/** ssh2 gives most of its errors no code; its wording is matched where it has none. */
const SSH_MESSAGES: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [
    /All configured authentication methods failed|Too many authentication failures/,
    'SSH_AUTH_FAILED',
  ],
  [/Timed out while waiting for handshake/, 'SSH_HOST_UNREACHABLE'],
  [/Channel open failure|Unable to start subsystem|Unable to exec/, 'SSH_CHANNEL_REFUSED'],
  [
    /Connection lost|No response from server|Not connected|Keepalive timeout/,
    'SSH_CONNECTION_LOST',
  ],
  [
    /Unexpected (end|close) event|closed by remote host|session has been closed/i,
    'SSH_CONNECTION_LOST',
  ],
];

const SFTP_STATUS: Readonly<Record<number, ErrorCode>> = {
  2: 'SFTP_NOT_FOUND',
  3: 'SFTP_DENIED',
  6: 'SSH_CONNECTION_LOST',
  7: 'SSH_CONNECTION_LOST',
};

const FILE_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'SFTP_NOT_FOUND',
  ENOTDIR: 'SFTP_NOT_FOUND',
  EACCES: 'SFTP_DENIED',
  EPERM: 'SFTP_DENIED',
  EROFS: 'SFTP_DENIED',
  ENOSPC: 'HOST_NO_SPACE',
  EDQUOT: 'HOST_NO_SPACE',
};

/** What was being done, on what, with the facts the hints need. */
export interface Doing {
  what: string;
  context: ErrorContext;
}

/** A connection's or channel's failure; what no table knows is SSH_PROTOCOL. */
export function classifySsh(error: unknown, doing: Doing): AppError {
  if (isAppError(error)) return error;
  const message = messageOf(error);
  const code =
    NETWORK_CODES[codeOf(error)] ??
    SSH_MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ??
    'SSH_PROTOCOL';
  return translated(code, error, doing);
}

/** An SFTP reply other than OK; a request that got no reply is a lost connection. */
export function classifySftp(error: unknown, doing: Doing): AppError {
  if (isAppError(error)) return error;
  const status = (error as { code?: unknown } | null)?.code;
  if (typeof status === 'number')
    return translated(SFTP_STATUS[status] ?? 'SFTP_FAILED', error, doing);
  const lost = SSH_MESSAGES.find(([pattern]) => pattern.test(messageOf(error)))?.[1];
  return translated(lost ?? NETWORK_CODES[codeOf(error)] ?? 'SFTP_FAILED', error, doing);
}

/** A failed file operation on this machine, in the words of the same interface. */
export function classifyFile(error: unknown, doing: Doing): AppError {
  if (isAppError(error)) return error;
  return translated(FILE_CODES[codeOf(error)] ?? 'SFTP_FAILED', error, doing);
}

function translated(code: ErrorCode, cause: unknown, { what, context }: Doing): AppError {
  const message = messageOf(cause);
  return new AppError(code, `${what}: ${message}${noiseIn(message)}`, { context, cause });
}

/** Text in front of SFTP's first packet is read as that packet's length. */
export function noiseIn(message: string): string {
  const length = Number(/Packet length (\d+) exceeds/.exec(message)?.[1] ?? 0);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length >>> 0);
  const text = bytes.toString('latin1');
  if (!/^[\x20-\x7e]{4}$/.test(text)) return '';
  return `; the login shell prints text beginning with "${text}" before SFTP starts: make its rc files silent`;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** The words may be the host's own: they are told on one line, escaped, and not at any length. */
function messageOf(error: unknown): string {
  return shownName(wordsOf(error), MESSAGE_CHARS_MAX);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Happy-eyeballs failures are an AggregateError without words of its own.
  if (error.message !== '') return error.message;
  return codeOf(error) === '' ? error.name : codeOf(error);
}
