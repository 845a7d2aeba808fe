/** What goes wrong on the way to the daemon, in words that say what to do. */
import { existsSync } from 'node:fs';
import { AppError, type ErrorContext } from '../domain/failure.ts';
import { isKnown, TowlineError } from './towline-error.ts';

/** What breaks when a daemon stops while we talk to it. */
const LOST_CODES = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_EOF_STATE',
]);

/** The daemon's own error, from the body of its response. */
export function errorFromBody(text: string, status: number): TowlineError {
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; context?: ErrorContext };
    };
    return errorFromView(error);
  } catch {
    return new TowlineError('INTERNAL', `the daemon answered ${status}: ${text.slice(0, 200)}`);
  }
}

/** A failure that was told as part of an answer. */
export function errorFromView(error: {
  code: string;
  message: string;
  context?: ErrorContext | undefined;
}): TowlineError {
  if (isKnown(error.code)) {
    return new TowlineError(error.code, error.message, { context: error.context ?? {} });
  }
  return new TowlineError('INTERNAL', `${error.code}: ${error.message}`);
}

/** A connection that could not be made or broke, in words that name the socket. */
export function connectionError(error: NodeJS.ErrnoException, socketPath: string): TowlineError {
  const reason = reasonOf(error, socketPath);
  const context = { socket: socketPath };
  return new TowlineError('DAEMON_NOT_RUNNING', reason, { context, cause: error });
}

/** True when the same call may work in a moment because the daemon is only restarting. */
export function isDaemonAway(error: unknown): boolean {
  return (
    error instanceof AppError &&
    (error.code === 'DAEMON_NOT_RUNNING' || error.code === 'DAEMON_STOPPING')
  );
}

/** True when it is there and only has too much to do just now. */
export function isDaemonBusy(error: unknown): boolean {
  return error instanceof AppError && error.code === 'DAEMON_BUSY';
}

function reasonOf(error: NodeJS.ErrnoException, socketPath: string): string {
  const code = error.code ?? '';
  if (code === 'ENOENT') return `no daemon: there is no socket ${socketPath}${unitHint()}`;
  if (code === 'ECONNREFUSED') {
    return `no daemon answers on ${socketPath}; it was ended without removing its socket${unitHint()}`;
  }
  if (code === 'EACCES' || code === 'EPERM') return `no permission to use the socket ${socketPath}`;
  if (LOST_CODES.has(code) || error.message === 'aborted') {
    return `the connection to the daemon on ${socketPath} broke`;
  }
  return `cannot talk to the daemon on ${socketPath}: ${error.message}`;
}

/** Looks for the unit file only: asking systemd would take longer than the call that failed. */
function unitHint(): string {
  const home = process.env['HOME'] ?? '';
  const installed = [
    `${home}/.config/systemd/user`,
    '/etc/systemd/user',
    '/usr/lib/systemd/user',
  ].some((directory) => existsSync(`${directory}/towline.service`));
  return installed ? ' (a user unit is installed: systemctl --user status towline)' : '';
}
