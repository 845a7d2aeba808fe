/** The environment a task asks for: which names may be set, and what values can be carried. */
import { AppError } from '../domain/failure.ts';
import { quote } from './quote.ts';

/** The kernel refuses a single `NAME=value` or argument longer than this, NUL included. */
export const MAX_WORD_BYTES = 131_072;

const DENIED = /^(APPEND_PATH|PREPEND_PATH|(APPTAINER|SINGULARITY|TOWLINE).*)$/;
/**
 * Names that would change how the shell or the runtime works before the command begins, or that the runtime sets
 * itself: the shell of the image sets them, just before the command. PATH is set inside the container only anyway.
 */
const LATE = /^(LD_.*|BASH_ENV|ENV|IFS|HOME)$/;

/** True for a variable that the runtime must not see. */
export function isLate(name: string): boolean {
  return LATE.test(name);
}

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

/**
 * Gives the extra variable that carries the late ones and the values with a CR before an LF, none when there is no
 * such value. Apptainer 1.4.5 hands every value through a shell interpreter of its own, which drops that CR;
 * so they travel a second time, as shell text without the pair, and LOAD_CRLF sets them anew.
 */
export function crlfVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  const lines = Object.entries(env)
    .filter(([name, value]) => isLate(name) || value.includes('\r\n'))
    .map(([name, value]) => `export ${name}=${value.split('\r').map(quote).join('"$TOWLINE_CR"')}`);
  const text = lines.join('\n');
  checkLength('env', `APPTAINERENV_${CRLF_VARIABLE}=${text}`);
  return lines.length === 0 ? {} : { [CRLF_VARIABLE]: text };
}

const CRLF_VARIABLE = 'TOWLINE_CRLF';
/** The beginning of what the image's /bin/sh runs where `crlfVariables` gave one. */
export const LOAD_CRLF = `TOWLINE_CR=$(printf "\\r"); eval "$${CRLF_VARIABLE}"; unset ${CRLF_VARIABLE} TOWLINE_CR; `;

/** Refuses a word the kernel would refuse later. @throws TASK_INVALID naming the field. */
export function checkLength(field: string, word: string): void {
  if (Buffer.byteLength(word) >= MAX_WORD_BYTES) {
    throw invalid(field, `longer than the ${MAX_WORD_BYTES} bytes one word can have; use an input`);
  }
}

function invalid(field: string, why: string): AppError {
  return new AppError('TASK_INVALID', `${field}: ${why}`, { context: { field } });
}
