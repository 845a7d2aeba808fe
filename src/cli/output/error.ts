/** Failures as they are told: on stderr, two lines for people, one JSON object with --json. */
import { type AppError, toAppError } from '../../domain/failure.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { escapeControls } from './text.ts';

/** Prints the failure and gives its exit code. */
export async function printError(io: Io, thrown: unknown, json: boolean): Promise<number> {
  const error = toAppError(thrown);
  await io.err.write(json ? errorJson(error) : errorText(error));
  if (error.code === 'INTERNAL' && io.env['TOWLINE_DEBUG'] !== undefined) {
    await io.err.write(`${(thrown as Error).stack ?? ''}\n`);
  }
  return exitCodeOf(error);
}

function errorJson(error: AppError): string {
  return `${JSON.stringify({ error: { ...error.toRecord(), hint: error.hint.trimEnd() } })}\n`;
}

/** `towline: CODE: message`, then `hint: …`. */
export function errorText(error: Pick<AppError, 'code' | 'message' | 'hint'>): string {
  const message = error.message.split('\n').map(escapeControls).join('\n  ');
  return `towline: ${error.code}: ${message}\nhint: ${escapeControls(error.hint).trimEnd()}\n`;
}
