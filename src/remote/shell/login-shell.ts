/**
 * What an account's login shell did before /bin/sh had its turn. sshd runs every command through the login
 * shell, whose startup files may print, end it, or put another shell in its place. Pure.
 */
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { isPosixShell, STARTUP_FILES, shellName } from '../../domain/login-shell.ts';
import { noiseIn } from '../classify.ts';

/** Gives the name of the shell that reads our commands, then the login shell. */
export const FIRST_WORDS = `printf '%s\\n%s' "$0" "\${SHELL-}"`;

const ANY_STARTUP_FILE = Object.entries(STARTUP_FILES)
  .map(([shell, files]) => `${inWords(files)} (${shell})`)
  .join(', ');

/** The finding in the reply to FIRST_WORDS, and the login shell it names. */
export function judgeFirstAnswer(
  output: string,
  context: ErrorContext,
): { login: string; finding: AppError | undefined } {
  const [shell = '', login = ''] = output.split('\n').map(shellName);
  if (isPosixShell(shell)) return { login, finding: undefined };
  const message = `host ${context['host']} runs ${shell} in the place of /bin/sh: ${startupFile(login)} starts it (exec), or a forced command does`;
  return { login, finding: new AppError('HOST_SHELL_UNUSABLE', message, { context }) };
}

/**
 * The finding behind an error of the first answers; any other error as it is. `login` is undefined when the
 * shell gave no answer.
 */
export function explainFirstFailure(
  error: AppError,
  login: string | undefined,
  context: ErrorContext,
): AppError {
  const noise = noiseIn(error.message);
  const ended = login === undefined && error.code === 'HOST_REPLY_INVALID';
  if (noise === '' && !ended) return error;
  const said = error.message.includes(noise) ? error.message : `${error.message}${noise}`;
  const message = `${said}; look at ${startupFile(login)}, or a forced command`;
  return new AppError('HOST_SHELL_UNUSABLE', message, { context, cause: error });
}

function startupFile(login: string | undefined): string {
  const files = STARTUP_FILES[login ?? ''];
  return files === undefined ? ANY_STARTUP_FILE : inWords(files);
}

function inWords(files: readonly string[]): string {
  return files.map((file) => `~/${file}`).join(' or ');
}
