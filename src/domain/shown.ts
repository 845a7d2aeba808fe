/** Foreign texts as they may stand in a message, and texts that were read or could not be. */

/** A text that was read, or why it could not be. */
export type Parsed<T> = { value: T } | { problem: string };

const QUOTED_LENGTH_MAX = 60;

/** A foreign text as it may stand in a message: on one line, escaped, cut when long. */
export function shown(text: string): string {
  return JSON.stringify(cut(text)).replaceAll(INVISIBLE, escapeOf);
}

/** As `shown` without the quotes: for names and words that are printed as they are. */
export function shownName(text: string, lengthMax = QUOTED_LENGTH_MAX): string {
  return cut(text, lengthMax).replaceAll(INVISIBLE, escapeOf);
}

/** Characters that a terminal obeys instead of showing: controls, direction marks, lone surrogates. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function cut(text: string, lengthMax = QUOTED_LENGTH_MAX): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}

function escapeOf(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/**
 * What a terminal obeys, or hides: controls, direction marks, invisible and tag characters. Joiners stay:
 * scripts and emoji are written with them.
 */
const HOSTILE = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Such characters as \xNN, \uNNNN or \u{NNNNN}; tab and newline stay. */
export function escapeControls(text: string): string {
  return text.replaceAll(HOSTILE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${hex(code, 2)}`;
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
