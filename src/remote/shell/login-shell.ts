/**
 * What an account's login shell did before /bin/sh had its turn. sshd runs every command through the login
 * shell, whose startup files may print, end it, or put another shell in its place. Pure.
 */
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { noiseIn } from '../classify.ts';

/** Gives the name of the shell that reads our commands, then the login shell. */
export const FIRST_WORDS = `printf '%s\\n%s' "$0" "\${SHELL-}"`;

/** Shells that read a script as POSIX says; zsh splits no words, the others know another language. */
const POSIX_SHELLS = new Set(['sh', 'dash', 'bash', 'ash', 'busybox', 'ksh', 'mksh']);

/** The files that a login shell reads also without a terminal. */
const STARTUP_FILES: Readonly<Record<string, string>> = {
  bash: '~/.bashrc',
  zsh: '~/.zshenv',
  csh: '~/.cshrc',
  tcsh: '~/.tcshrc or ~/.cshrc',
  fish: '~/.config/fish/config.fish',
};

const ANY_STARTUP_FILE = Object.entries(STARTUP_FILES)
  .map(([shell, file]) => `${file} (${shell})`)
  .join(', ');

/** The finding in the reply to FIRST_WORDS, and the login shell it names. */
export function judgeFirstAnswer(
  output: string,
  context: ErrorContext,
): { login: string; finding: AppError | undefined } {
  const [shell = '', login = ''] = output.split('\n').map(baseName);
  if (POSIX_SHELLS.has(shell)) return { login, finding: undefined };
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
  return STARTUP_FILES[login ?? ''] ?? ANY_STARTUP_FILE;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}
