/**
 * Arguments in one line of text. The rule: blanks separate words; between single quotes everything
 * stands for itself; between double quotes \" and \\ stand for " and \; outside quotes a backslash
 * takes the next character as it is. Nothing is expanded.
 */
import type { Parsed } from '../domain/shown.ts';

// One piece of a word: 'single', "double", \escaped, or plain characters.
const PIECE = /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|([^\s'"\\]+)/y;

/** Splits a line into words by the rule above. */
export function splitWords(text: string): Parsed<string[]> {
  const words: string[] = [];
  let position = 0;
  while (position < text.length) {
    const blank = /\s+/y;
    blank.lastIndex = position;
    if (blank.test(text)) {
      position = blank.lastIndex;
      continue;
    }
    const word = readWord(text, position);
    if (word === undefined)
      return { problem: 'has a quote that is not closed, or ends in a backslash' };
    words.push(word.text);
    position = word.end;
  }
  return { value: words };
}

/** The line that splitWords takes apart into these words again. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

function readWord(text: string, start: number): { text: string; end: number } | undefined {
  let word = '';
  let end = start;
  while (end < text.length && !/\s/.test(text.charAt(end))) {
    PIECE.lastIndex = end;
    const match = PIECE.exec(text);
    if (match === null) return undefined;
    const [, single, double, escaped, plain] = match;
    word += single ?? double?.replaceAll(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? '';
    end = PIECE.lastIndex;
  }
  return { text: word, end };
}

function quoteWord(word: string): string {
  if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}
