/** What the JSON frames of `exec` say, as schemas; both sides read them strictly. */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { parseWith } from './explain.ts';
import * as limits from './limits.ts';
import { failureView } from './views.ts';

const cells = z.number().int().min(1).max(10_000);
const word = z
  .string()
  .max(limits.WORD_BYTES_MAX)
  .refine((text) => !text.includes('\0'), 'cannot hold a NUL byte');

/** The size of a terminal, in characters. */
const windowSize = z.strictObject({ columns: cells, rows: cells });

export const execStart = z.strictObject({
  command: z.array(word).min(1).max(limits.ARGV_WORDS_MAX),
  /** With it the command runs on a terminal, and its two outputs are one. */
  tty: windowSize.extend({ term: z.string().regex(/^[A-Za-z0-9._+-]{1,64}$/) }).optional(),
});

export const execResize = windowSize;
/** Signals that SSH can carry to a command. */
export const execSignal = z.strictObject({ name: z.enum(['HUP', 'INT', 'QUIT', 'TERM', 'KILL']) });
export const execTaken = z.strictObject({ bytes: z.number().int().min(1) });
export const execNote = z.strictObject({ text: z.string() });
/** `code` as a shell would show it: 128+n for a signal. */
export const execExit = z.strictObject({ code: z.number().int().min(0).max(255) });
export const execError = z.strictObject({ error: failureView });

export type ExecStart = z.infer<typeof execStart>;

/** Reads the payload of a JSON frame. @throws REQUEST_INVALID naming the field */
export function readMessage<T>(schema: z.ZodType<T>, payload: Buffer): T {
  return parseWith(schema, jsonOf(payload), { code: 'REQUEST_INVALID', where: 'exec' });
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new AppError('REQUEST_INVALID', 'exec: a frame that should be JSON is not', { cause });
  }
}
