/** Paths of the submit host are expanded here and absolute after it; paths of a host are not expanded. */
import { isAbsolute, normalize } from 'node:path';
import { type Parsed, shown } from '../domain/shown.ts';

/** What may begin a path on a host; the host expands it. */
export const REMOTE_VARIABLES = ['HOME', 'USER', 'SCRATCH'] as const;

/** Linux keeps a socket's path in 108 bytes with its closing zero. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** The directory with the secrets that systemd hands to a unit. */
const CREDENTIALS = /^\$(?:CREDENTIALS_DIRECTORY|\{CREDENTIALS_DIRECTORY\})(?=\/.)/;

/**
 * An absolute path of this machine; `~` and `$HOME` at the beginning stand for `home`,
 * $CREDENTIALS_DIRECTORY for what `env` says. Where that is not set (in the shell of a user who only
 * looks at the configuration of a unit) the path stays as written, which names no file.
 */
export function parseLocalPath(
  text: string,
  home: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Parsed<string> {
  if (CREDENTIALS.test(text)) {
    const directory = env['CREDENTIALS_DIRECTORY'] ?? '';
    const value = isAbsolute(directory) ? text.replace(CREDENTIALS, () => directory) : text;
    return { value: withoutTrailingSlash(normalize(value)) };
  }
  const path = text.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, () => home);
  if (path === text && /^~/.test(text)) {
    return { problem: `${shown(text)}: only your own ~ is expanded; write the whole path` };
  }
  if (path === text && text.includes('$')) {
    return {
      problem: `${shown(text)}: only ~, $HOME and $CREDENTIALS_DIRECTORY at the beginning are expanded`,
    };
  }
  if (!isAbsolute(path)) return { problem: `${shown(text)} is not an absolute path (/… or ~/…)` };
  return { value: withoutTrailingSlash(normalize(path)) };
}

/** A path on a host: absolute, or beginning with ~, $HOME, $USER or $SCRATCH; kept as written. */
export function parseRemotePath(text: string): Parsed<string> {
  const parts = text.split('/');
  if (parts.includes('..')) return { problem: `${shown(text)} must not contain ".."` };
  for (const variable of text.match(/\$\{?\w*\}?/g) ?? []) {
    const name = variable.replaceAll(/[${}]/g, '');
    if (!(REMOTE_VARIABLES as readonly string[]).includes(name)) {
      const known = REMOTE_VARIABLES.map((known) => `$${known}`).join(', ');
      return {
        problem: `${shown(text)}: ${variable} is not expanded on the host, only ~, ${known}`,
      };
    }
  }
  const first = parts[0] ?? '';
  const starts = first === '' || first === '~' || /^\$\{?(?:HOME|SCRATCH)\}?$/.test(first);
  if (!starts || text.includes('`')) {
    return { problem: `${shown(text)} is not a path on the host (/…, ~/…, $HOME/… or $SCRATCH/…)` };
  }
  return { value: withoutTrailingSlash(text) };
}

/** As parseRemotePath, for a directory that Towline owns: a home or the root of a disk is refused. */
export function parseOwnedRemotePath(text: string): Parsed<string> {
  const parsed = parseRemotePath(text);
  if ('problem' in parsed) return parsed;
  const owned = parsed.value.split('/').filter((part) => part !== '' && part !== '.');
  if (parsed.value.startsWith('/') ? owned.length < 1 : owned.length < 2) {
    return {
      problem: `${shown(text)} must be a directory of its own: ${parsed.value.replace(/\/$/, '')}/towline`,
    };
  }
  return parsed;
}

/** Why a path cannot be a Unix socket, or undefined when it can. */
export function socketPathProblem(path: string): string | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_BYTES_MAX) return undefined;
  return `${shown(path)} is ${bytes} bytes long; a socket's path has at most ${SOCKET_PATH_BYTES_MAX}: set [daemon] socket to a shorter one`;
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}
