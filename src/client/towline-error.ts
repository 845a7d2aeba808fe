/** What calls of the client reject with, as scripts catch it. */
import { ERRORS, type ErrorCode } from '../domain/error-registry.ts';
import { AppError, type ErrorContext } from '../domain/failure.ts';
import type { TaskView } from '../protocol/views.ts';

/** `code` says what it is (docs/errors.md), `message` what failed on what and why, `hint` what to do next. */
export class TowlineError extends AppError {
  constructor(
    code: ErrorCode,
    message: string,
    options: { context?: ErrorContext; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.name = 'TowlineError';
    // of its own, so that Node prints it where nobody caught the error
    Object.defineProperty(this, 'hint', { value: super.hint, enumerable: true });
  }
}

/** A task that ended otherwise than it should; `task` is the whole view of it. */
export class TaskFailed extends TowlineError {
  declare readonly task: TaskView;

  constructor(task: TaskView, cause?: unknown) {
    const { code, message, context } = reasonOf(task);
    super(code, message, { context: { ...context, task: task.id }, cause });
    this.name = 'TaskFailed';
    // not printed with the error: it is long
    Object.defineProperty(this, 'task', { value: task });
  }

  /** The command's own, where it has one: 128+n after a signal. */
  get exitCode(): number | undefined {
    return this.task.exitCode;
  }
}

interface Reason {
  code: ErrorCode;
  message: string;
  context?: ErrorContext | undefined;
}

function reasonOf({ id, state, failure }: TaskView): Reason {
  if (failure === undefined) return { code: 'TASK_CANCELLED', message: `task ${id} was ${state}` };
  const { code, message, context } = failure;
  return isKnown(code)
    ? { code, message, context }
    : { code: 'INTERNAL', message: `${code}: ${message}` };
}

/** A newer daemon may know more. */
export function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
