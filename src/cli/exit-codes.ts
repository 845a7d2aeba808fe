/** Every exit code of the command line, in one place. Failures have theirs in the error registry. */
import { ERRORS } from '../domain/error-registry.ts';
import { toAppError } from '../domain/failure.ts';

export const EXIT_OK = 0;
/** A file that does not fit, as a command line that does not. */
export const EXIT_USAGE = 2;
export const EXIT_TASK_FAILED = 3;
/** `wait` could not find out in time. */
export const EXIT_WAIT_TIMEOUT = 14;
/** `run`: everything that is not the command's. */
export const EXIT_NOT_THE_COMMANDS = 125;
export const EXIT_HANGUP = 129;
export const EXIT_INTERRUPTED = 130;
/** What a shell shows for a program ended by SIGPIPE. */
export const EXIT_BROKEN_PIPE = 141;

/** For the documentation: code and meaning, in order. */
export const EXIT_CODE_TABLE: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done; `wait`: all tasks succeeded'],
  ['1', 'a bug in Towline, or no space on the submit host'],
  ['2', 'the command line, a task or a request does not fit'],
  ['3', 'a task failed, or its host or image could not do it'],
  ['10', 'no daemon answers'],
  ['11', 'no such task, host or route'],
  ['12', 'the configuration cannot be used'],
  ['13', 'the task or daemon is not in a state that allows this'],
  ['14', '`wait --timeout`: the time is over and the tasks have not ended'],
  [
    '125',
    '`run`, `exec`, `shell`: everything that is not the exit code of the command, wrong options included',
  ],
  ['129', '`run`, `workflow run`: the terminal was closed; the tasks go on'],
  ['130', '`run`: interrupted, the task was cancelled; `workflow run`: interrupted'],
  [
    '141',
    'nobody reads the output any more (`| head`); `run` has cancelled the task, those of `workflow run` go on',
  ],
];

/** The exit code for a failure, by the registry. */
export function exitCodeOf(error: unknown): number {
  return ERRORS[toAppError(error).code].exit;
}
