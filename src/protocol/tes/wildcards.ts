/** Patterns as POSIX 2.13 has them: `*`, `?` and `[…]`; braces are plain characters. */

const WILDCARD = /[*?[]/;

export function hasWildcard(path: string): boolean {
  return WILDCARD.test(path);
}

/** The same path or pattern in the words of Towline, where a brace is special, too. */
export function patternOf(path: string): string {
  return path.replaceAll('{', '[{]');
}

/** The directory that a pattern begins in. */
export function wildcardBase(pattern: string): string {
  const parts = pattern.split('/');
  return parts.slice(0, parts.findIndex(hasWildcard)).join('/') || '/';
}
