/**
 * The value of one line, exactly as the ini package will read it. What that package would cut off or
 * change without a word (text after ; or #, backslashes, half quotes) is refused here.
 */

import type { Parsed } from '../domain/shown.ts';
import { CONTROL_CHARACTER } from './problem.ts';

/** Reads the text after `=`. `comments`: a comment after the value is dropped instead of refused. */
export function scanValue(
  text: string,
  comments: boolean,
): Parsed<{ value: string; clean: string }> {
  const clean = (comments ? text.replace(/(^|\s)[;#].*$/, '') : text).trim();
  const parsed = unquote(clean);
  if ('problem' in parsed) return parsed;
  if (CONTROL_CHARACTER.test(parsed.value)) return { problem: 'holds a control character' };
  return { value: { value: parsed.value, clean } };
}

/** A value as it has to be written in a file: quoted where it would be cut or changed otherwise. */
export function quoteValue(value: string): string {
  const plain = unquote(value);
  return 'value' in plain && plain.value === value && value === value.trim()
    ? value
    : JSON.stringify(value);
}

function unquote(text: string): Parsed<string> {
  if (text.startsWith('"')) return unquoteDouble(text);
  if (text.startsWith("'")) return unquoteSingle(text);
  if (/\\[\\;#]/.test(text)) {
    return {
      problem: `has a backslash before ${text.match(/\\([\\;#])/)?.[1]}, which would be dropped; ${HOW_TO_QUOTE}`,
    };
  }
  const cut = text.search(/[;#]/);
  if (cut >= 0) {
    return {
      problem: `would lose everything from "${text[cut]}" on; put a comment on its own line, or if it belongs to the value: ${HOW_TO_QUOTE}`,
    };
  }
  return { value: text };
}

const HOW_TO_QUOTE = `put the whole value between single quotes`;

function unquoteDouble(text: string): Parsed<string> {
  try {
    return { value: String(JSON.parse(text)) };
  } catch {
    return {
      problem:
        'has a double quote that is not closed or text after the closing one; inside double quotes write \\" and \\\\, or put the whole value between single quotes',
    };
  }
}

function unquoteSingle(text: string): Parsed<string> {
  const inner = text.slice(1, -1);
  if (text.length < 2 || !text.endsWith("'") || inner.includes("'")) {
    return {
      problem:
        'has a single quote that is not closed or text after the closing one; put the whole value between double quotes and write \\" and \\\\ inside',
    };
  }
  return { value: inner };
}
