/** Reads a condition (condition.ts); a mistake is told with the character at which it stands. */
import { type Parsed, shown } from '../shown.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration, parseSize } from '../units.ts';
import { type Condition, OPERATORS, type Operator, SUBJECTS, type Subject } from './condition.ts';

/** No condition is as long as this, and parentheses are read by recursion. */
const CHARS_MAX = 1_000;

interface Token {
  text: string;
  /** Counted from 1. */
  at: number;
}

/** Parentheses, operators, values with a unit (a blank may stand before that of a size), words, and what is none of these. */
const TOKEN =
  /[()]|[<>=!]=?|\d[\w.:]*(?:\s+(?:[KMGT]i?B?|B)(?!\w))?|[A-Za-z_][\w.]*|[^\s()<>=!]/iuy;

/** Stands for the place of a mistake while a condition is read. */
class Mistake extends Error {}

interface Reading {
  tokens: readonly Token[];
  next: number;
  /** The place behind the last character. */
  end: number;
}

/** Reads the whole text as one condition. */
export function parseCondition(text: string): Parsed<Condition> {
  if (text.length > CHARS_MAX) return { problem: `is longer than ${CHARS_MAX} characters` };
  const reading: Reading = { tokens: tokensOf(text), next: 0, end: text.length + 1 };
  try {
    const condition = readEither(reading);
    const rest = reading.tokens[reading.next];
    if (rest !== undefined) fail(rest, `${shown(rest.text)} is not expected here`, WORDS);
    return { value: condition };
  } catch (error) {
    if (error instanceof Mistake) return { problem: error.message };
    throw error;
  }
}

const WORDS = '; between comparisons stand and, or';

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const token = match?.[0] ?? text.charAt(at);
    tokens.push({ text: token, at: at + 1 });
    at += token.length;
  }
  return tokens;
}

function readEither(reading: Reading): Condition {
  return readChain(reading, 'or', (inner) => readChain(inner, 'and', readOne));
}

function readChain(
  reading: Reading,
  kind: 'and' | 'or',
  readPart: (reading: Reading) => Condition,
): Condition {
  const first = readPart(reading);
  const of = [first];
  while (takeWord(reading, kind)) of.push(readPart(reading));
  return of.length === 1 ? first : { kind, of };
}

function readOne(reading: Reading): Condition {
  if (takeWord(reading, 'not')) return { kind: 'not', of: readOne(reading) };
  if (takeWord(reading, '(')) {
    const inner = readEither(reading);
    if (!takeWord(reading, ')')) fail(here(reading), 'the parenthesis is not closed');
    return inner;
  }
  return readComparison(reading);
}

function readComparison(reading: Reading): Condition {
  const subject = take(reading, `a comparison is missing: one of ${SUBJECTS.join(', ')}`);
  if (!isOneOf(SUBJECTS, subject.text)) {
    const meant = didYouMean(subject.text, SUBJECTS);
    fail(subject, `${shown(subject.text)} is not one of ${SUBJECTS.join(', ')}`, meant);
  }
  const sign = take(reading, `one of ${OPERATORS.join(' ')} is missing`);
  const operator = sign.text === '=' ? '==' : sign.text;
  if (!isOneOf(OPERATORS, operator))
    fail(sign, `${shown(sign.text)} is not one of ${OPERATORS.join(' ')}`);
  const written = take(reading, 'the value is missing');
  const parsed = valueOf(subject.text as Subject, written.text);
  if ('problem' in parsed) fail(written, parsed.problem);
  return {
    kind: 'compare',
    subject: subject.text as Subject,
    operator: operator as Operator,
    value: parsed.value,
  };
}

function valueOf(subject: Subject, text: string): Parsed<number> {
  if (subject === 'memory') return parseSize(text);
  if (subject === 'time') return parseDuration(text);
  const number = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
  return number === undefined ? { problem: `${shown(text)} is not a number` } : { value: number };
}

function take(reading: Reading, missing: string): Token {
  const token = reading.tokens[reading.next];
  if (token === undefined) fail(here(reading), missing);
  reading.next += 1;
  return token;
}

function takeWord(reading: Reading, word: string): boolean {
  if (reading.tokens[reading.next]?.text !== word) return false;
  reading.next += 1;
  return true;
}

function here(reading: Reading): Token {
  return reading.tokens[reading.next] ?? { text: '', at: reading.end };
}

function fail(token: Token, what: string, advice = ''): never {
  throw new Mistake(`at character ${token.at}: ${what}${advice}`);
}

function isOneOf<T extends string>(all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text);
}
