/**
 * What can go wrong, said once. AppError carries a code of the registry, what failed on what, the
 * reason as told, and a hint that names the next command to type.
 */
import { ERRORS, type ErrorCode } from './error-registry.ts';

export type { ErrorCode } from './error-registry.ts';

export type ErrorContext = Record<string, string | number | boolean | undefined>;

/** The form in which a failure is stored with a task and sent over the wire. */
export interface FailureRecord {
  code: ErrorCode;
  message: string;
  hint: string;
  context: ErrorContext;
}

/** never: it will fail again; later: the world may change by itself; after-fix: somebody must act first. */
export type Retry = 'never' | 'later' | 'after-fix';

const BRAND = Symbol.for('towline.AppError');

interface AppErrorOptions {
  context?: ErrorContext;
  cause?: unknown;
}

/** The only error that crosses rooms. `message` = what failed + on what + reason as told. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.context = options.context ?? {};
  }

  get [BRAND](): true {
    return true;
  }

  get retry(): Retry {
    return ERRORS[this.code].retry;
  }

  /** The registry's hint with `{name}` replaced from the context. */
  get hint(): string {
    return fillHint(ERRORS[this.code].hint, this.context);
  }

  /** The same error told where it happened; what it says itself stands. */
  in(context: ErrorContext): AppError {
    return new AppError(this.code, this.message, {
      context: { ...context, ...this.context },
      cause: this.cause ?? this,
    });
  }

  toRecord(): FailureRecord {
    return { code: this.code, message: this.message, hint: this.hint, context: this.context };
  }
}

/** Recognises AppErrors also across copies of this module. */
export function isAppError(value: unknown): value is AppError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** Any thrown thing as an AppError; what is not ours is a bug and becomes INTERNAL with its cause kept. */
export function toAppError(value: unknown): AppError {
  if (isAppError(value)) return value;
  const message = value instanceof Error ? value.message : String(value);
  return new AppError('INTERNAL', message, { cause: value });
}

function fillHint(template: string, context: ErrorContext): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, key: string) => {
    const value = context[key];
    return value === undefined ? key.toUpperCase() : String(value);
  });
}
