/**
 * The file with the tokens of TES clients: a line for each, `NAME SHA256 CREATED`. The command line writes it, the daemon
 * reads it for every request, so that a token that is removed counts no more. The tokens themselves stand nowhere.
 */
import { AppError } from '../../domain/failure.ts';

/** In the state directory. */
export const TOKEN_FILE = 'tes-tokens';

export interface StoredToken {
  name: string;
  /** Of the token, in hexadecimal. */
  sha256: string;
  /** ISO 8601. */
  createdAt: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const LINE = /^(\S+) ([0-9a-f]{64}) (\S+)$/;

/** True for what a token may be called; Basic takes it as the user. */
export function isTokenName(name: string): boolean {
  return NAME.test(name);
}

/** @throws CONFIG_SYNTAX naming the line */
export function parseTokens(text: string, path: string): StoredToken[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const [, name = '', sha256 = '', createdAt = ''] = LINE.exec(line) ?? [];
    if (isTokenName(name)) return [{ name, sha256, createdAt }];
    throw new AppError('CONFIG_SYNTAX', `${path}:${index + 1}: is not NAME SHA256 CREATED`);
  });
}

export function formatTokens(tokens: readonly StoredToken[]): string {
  return tokens.map(({ name, sha256, createdAt }) => `${name} ${sha256} ${createdAt}\n`).join('');
}
