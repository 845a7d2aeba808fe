/** What is wrong with a configuration and where: what every stage of the room collects. */
import type { ErrorCode } from '../domain/failure.ts';

/** A line of a file, counted from 1. */
export interface Place {
  file: string;
  line: number;
}

/** One thing to mend. Without a place the value came from a default or from the environment. */
export interface Problem {
  code: ErrorCode;
  place?: Place | undefined;
  section?: string | undefined;
  key?: string | undefined;
  /** Continues "section, key:"; ends without a full stop. */
  what: string;
}

/** A text that was read, or why it could not be. */
export type Parsed<T> = { value: T } | { problem: string };

const QUOTED_LENGTH_MAX = 60;

/** A foreign text as it may stand in a message: on one line, escaped, cut when long. */
export function shown(text: string): string {
  return JSON.stringify(cut(text)).replaceAll(INVISIBLE, escapeOf);
}

/** As `shown` without the quotes: for names that are printed as they are. */
export function shownName(text: string): string {
  return cut(text).replaceAll(INVISIBLE, escapeOf);
}

/** Characters that a terminal obeys instead of showing: controls, direction marks, lone surrogates. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function cut(text: string): string {
  return text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text;
}

function escapeOf(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** Control characters (but the tab) and line separators: no value and no line may hold one. */
// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
export const CONTROL_CHARACTER = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/;
