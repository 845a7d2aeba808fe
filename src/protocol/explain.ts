/** Turns what a schema found wrong into one sentence that names the field. */
import type { z } from 'zod';
import { AppError, type ErrorCode } from '../domain/failure.ts';
import { didYouMean, nearest } from '../domain/suggest.ts';

type Issue = z.core.$ZodIssue;
const SHOWN_MAX = 3;

interface Asked {
  code: ErrorCode;
  /** Where the value stands in what was sent: `tasks[3]`; empty for the value itself. */
  where?: string | undefined;
  /** Known field names, for suggestions. */
  known?: readonly string[] | undefined;
}

/** The value as the schema gives it back. @throws the code asked for, naming each bad field */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, asked: Asked): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found = result.error.issues.map((issue) => explain(issue, asked));
  const shown = found.slice(0, SHOWN_MAX).map(({ field, text }) => `${field} ${text}`);
  if (found.length > SHOWN_MAX) shown.push(`and ${found.length - SHOWN_MAX} more`);
  throw new AppError(asked.code, shown.join('; '), { context: { field: found[0]?.field } });
}

/** All that a schema finds wrong, each with its path; an unknown key is a problem of its own, at its own path. */
export function explainAll(
  error: z.ZodError,
  known: (path: readonly PropertyKey[]) => readonly string[],
): { path: PropertyKey[]; text: string }[] {
  return error.issues.map(innermost).flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys')
      return [{ path: issue.path, text: sentence(issue, []) }];
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      text: `is not known here${didYouMean(key, known(issue.path))}`,
    }));
  });
}

function explain(issue: Issue, asked: Asked): { field: string; text: string } {
  const deepest = innermost(issue);
  const field = fieldName([...deepest.path], asked.where);
  return { field, text: sentence(deepest, asked.known ?? []) };
}

/** Of a union's branches, the one that failed because of a detail and not because of its type. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branch = issue.errors.find((issues) =>
    issues.every((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
  );
  const first = branch?.[0];
  if (first === undefined) return issue;
  return innermost({ ...first, path: [...issue.path, ...first.path] });
}

/** `tasks[3].env.NAME`; control characters of a hostile name are escaped. */
export function fieldName(path: PropertyKey[], where = ''): string {
  let name = where;
  for (const part of path) {
    if (typeof part === 'number') name += `[${part}]`;
    else name += name === '' ? shown(part) : `.${shown(part)}`;
  }
  return name === '' ? 'the value' : name;
}

function shown(part: PropertyKey): string {
  const text = String(part);
  return /^[\w.-]{1,80}$/.test(text) ? text : JSON.stringify(text.slice(0, 80));
}

function sentence(issue: Issue, known: readonly string[]): string {
  if (issue.code === 'invalid_union') return noBranch(issue.errors.flat(), issue.message);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const near = issue.path.length === 0 ? nearest(key, known) : undefined;
    const suggestion = near === undefined ? '' : ` (did you mean ${near}?)`;
    return `has an unknown field ${shown(key)}${suggestion}`;
  }
  if (issue.code === 'invalid_type') {
    return issue.message.endsWith('received undefined')
      ? 'is missing'
      : `must be ${aType(issue.expected)}`;
  }
  const text = issue.message;
  return text.startsWith('Invalid') || text.startsWith('Too') ? `is not valid: ${text}` : text;
}

/** The value has the type of none of the forms: say which types there are. */
function noBranch(issues: readonly Issue[], otherwise: string): string {
  const wrong = issues.filter((issue) => issue.code === 'invalid_type');
  if (wrong.length === 0) return otherwise;
  if (wrong.every(({ message }) => message.endsWith('received undefined'))) return 'is missing';
  return `must be ${[...new Set(wrong.map(({ expected }) => aType(expected)))].join(' or ')}`;
}

const TYPE_WORDS: Record<string, string> = {
  string: 'a text',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  int: 'a whole number',
};

function aType(expected: string): string {
  return TYPE_WORDS[expected] ?? `a ${expected}`;
}
