/** The environment a task asks for: which names may be set, and what values can be carried. */
import { AppError } from '../domain/failure.ts';

/** The kernel refuses a single `NAME=value` or argument longer than this, NUL included. */
export const MAX_WORD_BYTES = 131_072;

/**
 * Names that would change how the shell or the runtime works before the command begins, or that the
 * runtime sets itself. PATH is allowed: it is set inside the container only.
 */
const DENIED =
  /^(LD_.*|BASH_ENV|ENV|IFS|HOME|APPEND_PATH|PREPEND_PATH|(APPTAINER|SINGULARITY|TOWLINE).*)$/;

/**
 * Checks one variable; `noEval` tells whether the runtime passes values untouched.
 * @throws TASK_INVALID naming the variable.
 */
export function checkVariable(name: string, value: string, noEval: boolean): void {
  const field = `env.${name}`;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw invalid(field, 'a name has letters, digits and _, and does not begin with a digit');
  }
  if (DENIED.test(name)) throw invalid(field, 'this name is kept for the shell and the runtime');
  if (value.includes('\0')) throw invalid(field, 'the value contains a NUL byte');
  if (!noEval && /[$`"\\]/.test(value)) {
    throw invalid(field, 'the runtime on this host evaluates values; it can carry no $ ` " \\');
  }
}

/** Refuses a word the kernel would refuse later. @throws TASK_INVALID naming the field. */
export function checkLength(field: string, word: string): void {
  if (Buffer.byteLength(word) >= MAX_WORD_BYTES) {
    throw invalid(field, `longer than the ${MAX_WORD_BYTES} bytes one word can have; use an input`);
  }
}

function invalid(field: string, why: string): AppError {
  return new AppError('TASK_INVALID', `${field}: ${why}`, { context: { field } });
}
