/** What a jump host says when it cannot or will not connect us to the next host. */
import { AppError, type ErrorCode } from '../../domain/failure.ts';
import type { HostSettings } from '../settings.ts';

/** Reasons of a refused channel (RFC 4254, 5.1). */
const PROHIBITED = 1;
const CONNECT_FAILED = 2;

const WORDS: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [/refused/i, 'SSH_CONNECTION_REFUSED'],
  [/unknown host|not known|resol/i, 'SSH_HOST_NAME_UNKNOWN'],
];

/** The failure to open a stream through `jump`: of the jump host if it forbids it, else of the target. */
export function tunnelFailure(error: unknown, target: HostSettings, jump: HostSettings): AppError {
  const { reason, message } = error as { reason?: unknown; message: string };
  const { name, hostname, port, user } = target;
  const where = `connect to ${hostname}:${port}: ${message}`;
  if (reason === PROHIBITED) {
    const context = { host: jump.name, hostname: jump.hostname, port: jump.port, user: jump.user };
    return new AppError('SSH_JUMP_REFUSED', where, { context, cause: error });
  }
  const told = WORDS.find(([pattern]) => pattern.test(message))?.[1];
  const code = reason === CONNECT_FAILED && told !== undefined ? told : 'SSH_HOST_UNREACHABLE';
  return new AppError(code, where, { context: { host: name, hostname, port, user }, cause: error });
}
