/**
 * The workshop: pure makers of the texts that run on hosts, and readers of what those texts say.
 * What comes in: plain values of the domain. What goes out: POSIX shell text, and values parsed from
 * replies. Never here: I/O, clocks, randomness, or a word spliced into a text without `quote`.
 * Read next: launch.ts (how an attempt begins), supervisor.ts (how it is carried to its end).
 */
import { AppError } from '../domain/failure.ts';

/** Makes one shell word of any text, byte for byte, whatever it holds. @throws TASK_INVALID on NUL, which no argument can carry. */
export function quote(word: string): string {
  if (word.includes('\0')) {
    throw new AppError('TASK_INVALID', `a value contains a NUL byte: ${JSON.stringify(word)}`);
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Quotes each word and joins them by single spaces. @throws TASK_INVALID on NUL. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/** The same for people to read: words that need no quotes have none. */
export function quoteSparingly(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(' ');
}
