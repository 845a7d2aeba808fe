/** The %-tokens, ~ and ${VARIABLES} in values of an OpenSSH configuration. Pure; nothing reaches a shell. */
import { isAbsolute, normalize } from 'node:path';
import { type Parsed, shown } from '../../domain/shown.ts';

/** What the tokens stand for; one that is missing here is not understood. */
export type Tokens = Readonly<Record<string, string>>;

/** Replaces %-tokens. */
export function expandTokens(text: string, tokens: Tokens): Parsed<string> {
  let unknown: string | undefined;
  const value = text.replaceAll(/%(.?)/g, (whole, sign: string) => {
    if (sign === '%') return '%';
    const known = Object.hasOwn(tokens, sign) ? tokens[sign] : undefined;
    unknown ??= known === undefined ? whole : undefined;
    return known ?? '';
  });
  return unknown === undefined
    ? { value }
    : { problem: `${shown(unknown)} is not understood here` };
}

interface PathContext {
  tokens: Tokens;
  home: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** A path of this machine: ~, ${VARIABLES} and tokens are expanded, as ssh does it. */
export function expandPath(text: string, { tokens, home, env }: PathContext): Parsed<string> {
  if (/^~[^/]/.test(text)) return { problem: `${shown(text)}: only your own ~ is expanded` };
  let unset: string | undefined;
  const written = text
    .replace(/^~(?=\/|$)/, () => home)
    .replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
      const value = env[name];
      if (value === undefined) unset ??= name;
      return value ?? '';
    });
  if (unset !== undefined) return { problem: `the variable ${shown(unset)} is not set` };
  const expanded = expandTokens(written, tokens);
  if ('problem' in expanded) return expanded;
  if (!isAbsolute(expanded.value)) return { problem: `${shown(text)} is not an absolute path` };
  return { value: normalize(expanded.value) };
}
