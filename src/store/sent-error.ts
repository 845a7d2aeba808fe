/** Errors on their way between the threads: AppErrors keep their code, everything else is a bug. */
import { AssertionError } from 'node:assert';
import { AppError, isAppError } from '../domain/failure.ts';
import type { SentError } from './requests.ts';

/** The form of an error that a structured clone keeps whole. */
export function sendError(error: unknown): SentError {
  if (isAppError(error)) {
    return {
      code: error.code,
      message: error.message,
      context: error.context,
      cause: error.cause instanceof Error ? error.cause : undefined,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, context: {}, cause: error instanceof Error ? error : undefined };
}

/** The error to throw on this side for one that was sent. */
export function receiveError(sent: SentError): Error {
  const { code, message, context, cause } = sent;
  if (code !== undefined) return new AppError(code, message, { context, cause });
  const bug = new AssertionError({ message });
  bug.cause = cause;
  return bug;
}
