/**
 * Replies of our texts: lines that begin with `@ ` are structured, everything else is what tools said
 * (noise), kept for error messages. What does not fit the schema is HOST_REPLY_INVALID naming the field.
 */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';

export interface ReplyLine {
  verb: string;
  /** What stands after the verb, as it is. */
  rest: string;
}

export interface Reply {
  lines: ReplyLine[];
  /** Diagnostic text, at most NOISE_LENGTH characters of its end. */
  noise: string;
}

const NOISE_LENGTH = 4000;

/** Splits the output of a text into its structured lines and the rest. */
export function splitReply(output: string): Reply {
  const lines: ReplyLine[] = [];
  const noise: string[] = [];
  for (const line of output.split('\n')) {
    const match = /^@ (\S+) ?(.*)$/s.exec(line);
    if (match === null) noise.push(line);
    else lines.push({ verb: match[1] ?? '', rest: match[2] ?? '' });
  }
  return { lines, noise: noise.join('\n').trim().slice(-NOISE_LENGTH) };
}

/** Gives the one structured line of a reply. @throws HOST_REPLY_INVALID when there is none or more than one. */
export function onlyLine(purpose: string, output: string): ReplyLine & { noise: string } {
  const { lines, noise } = splitReply(output);
  const line = lines[0];
  if (line === undefined || lines.length > 1) {
    throw replyInvalid(purpose, `${lines.length} reply lines instead of one`, noise);
  }
  return { ...line, noise };
}

/** Parses a value of a reply. @throws HOST_REPLY_INVALID naming the field that does not fit. */
export function parseValue<T>(schema: z.ZodType<T>, value: unknown, purpose: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'value' : issue.path.join('.');
  throw replyInvalid(purpose, `field ${field}: ${issue?.message ?? 'invalid'}`, '');
}

/** Parses JSON of a reply. @throws HOST_REPLY_INVALID naming the field that does not fit. */
export function parseJson<T>(schema: z.ZodType<T>, text: string, purpose: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw replyInvalid(purpose, `not JSON: ${String(error)}`, text.slice(0, 200));
  }
  return parseValue(schema, value, purpose);
}

/** The error for a reply that cannot be understood. */
export function replyInvalid(purpose: string, why: string, noise: string): AppError {
  const said = noise === '' ? '' : `; the host said: ${noise.slice(-500)}`;
  return new AppError('HOST_REPLY_INVALID', `${purpose}: ${why}${said}`);
}

/** The error for a step that the host could not do: a full disk, a root that is away by their own names. */
export function stepFailed(purpose: string, what: string, noise: string): AppError {
  const full =
    /no space left|quota exceeded|file too large/i.test(`${what} ${noise}`) || what === 'nospace';
  if (what === 'no-root')
    return new AppError('HOST_ROOT_UNAVAILABLE', `${purpose}: the remote root cannot be seen`);
  const said = noise === '' ? '' : `: ${noise.slice(-500)}`;
  return new AppError(full ? 'HOST_NO_SPACE' : 'HOST_COMMAND_FAILED', `${purpose}: ${what}${said}`);
}
