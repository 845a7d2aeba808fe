/**
 * The kinds of values a key can have: each turns the text of a line into a value by a zod schema,
 * writes a value back as text, and says in a sentence what it takes (for the documentation).
 */
import { z } from 'zod';
import { type Parsed, shown } from '../domain/shown.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../domain/units.ts';
import { parseLocalPath, parseOwnedRemotePath, parseRemotePath } from './paths.ts';
import { joinWords, splitWords } from './words.ts';

export interface ValueContext {
  home: string;
  env?: Readonly<Record<string, string | undefined>>;
}

export interface ValueType<T> {
  /** Names the kind in the documentation. */
  label: string;
  schema(context: ValueContext): z.ZodType<T, string>;
  /** The text that the schema turns into this value again. */
  format(value: T): string;
}

type Parser<T> = (text: string, context: ValueContext) => Parsed<T>;

/** What a parser of its own reads. */
export function parsedBy<T>(
  label: string,
  parse: (text: string) => Parsed<T>,
  format: (value: T) => string,
): ValueType<T> {
  return valueType(label, parse, format);
}

function valueType<T>(label: string, parse: Parser<T>, format: (value: T) => string): ValueType<T> {
  const schema = (context: ValueContext): z.ZodType<T, string> =>
    z.string().transform((text, issues) => {
      const parsed = parse(text, context);
      if ('value' in parsed) return parsed.value;
      issues.addIssue({ code: 'custom', message: parsed.problem });
      return z.NEVER;
    });
  return { label, schema, format };
}

/** One of a few words. */
export function choice<const T extends string>(...words: T[]): ValueType<T> {
  const parse: Parser<T> = (text) => {
    const value = words.find((word) => word === text);
    return value === undefined
      ? { problem: `${shown(text)} is not one of ${words.join(', ')}` }
      : { value };
  };
  return valueType(words.map((word) => `\`${word}\``).join(', '), parse, String);
}

/** A whole number between two bounds. */
export function integer(min: number, max: number): ValueType<number> {
  const parse: Parser<number> = (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return { value };
    return { problem: `${shown(text)} is not a whole number from ${min} to ${max}` };
  };
  return valueType(`number ${min}–${max}`, parse, String);
}

/** A duration between two bounds (both in milliseconds). */
export function duration(minMs: number, maxMs: number): ValueType<number> {
  return valueType('duration', (text) => parseBounded(text, minMs, maxMs), formatDuration);
}

/** A duration, or `none`. */
export function durationOrNone(minMs: number, maxMs: number): ValueType<number | undefined> {
  return valueType<number | undefined>(
    'duration or `none`',
    (text) => (text === 'none' ? { value: undefined } : parseBounded(text, minMs, maxMs)),
    (ms) => (ms === undefined ? 'none' : formatDuration(ms)),
  );
}

/** What another type takes, or the word `none`, which stands for `nothing`. */
export function orNone<T, N>(type: ValueType<T>, nothing: N): ValueType<T | N> {
  const isNothing = (value: T | N): value is N =>
    value === nothing || (Array.isArray(value) && value.length === 0 && Array.isArray(nothing));
  return {
    label: `${type.label}, or \`none\``,
    // Not a union of schemas: its message would say neither what is wrong nor what is right.
    schema: (context) =>
      z.string().transform((text, issues) => {
        if (text === 'none') return nothing;
        const parsed = type.schema(context).safeParse(text);
        if (parsed.success) return parsed.data;
        for (const { message } of parsed.error.issues) issues.addIssue({ code: 'custom', message });
        return z.NEVER;
      }),
    format: (value) => (isNothing(value) ? 'none' : type.format(value)),
  };
}

/** A list of words or paths, written with commas. */
export function list<T>(item: ValueType<T>): ValueType<readonly T[]> {
  const schema = (context: ValueContext): z.ZodType<readonly T[], string> =>
    z
      .string()
      .transform((text) => text.split(',').map((part) => part.trim()))
      .pipe(z.array(item.schema(context)));
  return {
    label: `${item.label}, several by comma`,
    schema,
    format: (values) => values.map((value) => item.format(value)).join(', '),
  };
}

/** A word that a pattern describes; `what` names it in an error: "is not a user name". */
export function matching(label: string, pattern: RegExp, what: string): ValueType<string> {
  return fitting(label, (text) => pattern.test(text), what);
}

/** As matching, where a pattern is not enough. */
export function fitting(
  label: string,
  fits: (text: string) => boolean,
  what: string,
): ValueType<string> {
  const parse: Parser<string> = (text) =>
    fits(text) ? { value: text } : { problem: `${shown(text)} is not ${what}` };
  return valueType(label, parse, String);
}

export const size: ValueType<number> = valueType('size', parseSize, formatSize);
export const boolean: ValueType<boolean> = valueType('`true` or `false`', parseBoolean, String);
export const text: ValueType<string> = valueType('text', (value) => ({ value }), String);
export const words: ValueType<readonly string[]> = valueType('arguments', splitWords, joinWords);
export const localPath: ValueType<string> = valueType(
  'path',
  (value, { home, env }) => parseLocalPath(value, home, env),
  String,
);
export const remotePath: ValueType<string> = valueType('path on the host', parseRemotePath, String);
export const ownedRemotePath: ValueType<string> = valueType(
  'path on the host',
  parseOwnedRemotePath,
  String,
);
export const decimal: ValueType<number> = valueType('number above 0', parseDecimal, String);

function parseBounded(text: string, minMs: number, maxMs: number): Parsed<number> {
  const parsed = parseDuration(text);
  if ('problem' in parsed || (parsed.value >= minMs && parsed.value <= maxMs)) return parsed;
  return {
    problem: `${shown(text)} is not between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`,
  };
}

function parseBoolean(value: string): Parsed<boolean> {
  if (value === 'true' || value === 'false') return { value: value === 'true' };
  return { problem: `${shown(value)} is neither true nor false` };
}

function parseDecimal(value: string): Parsed<number> {
  const number = /^\d{1,6}(\.\d{1,3})?$/.test(value) ? Number(value) : 0;
  return number > 0 ? { value: number } : { problem: `${shown(value)} is not a number above 0` };
}
