/** Brings a fresh `/bin/sh` to the point where the wanted text runs and its streams are its own. */
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { AppError, type ErrorContext, toAppError } from '../../domain/failure.ts';
import type { ProcessOptions } from '../host.ts';
import { withDeadline, withSignal } from '../settle.ts';
import { awaitMark, NoMark, plainStart, terminalStart } from './process-start.ts';

const START_DEADLINE_MS = 20_000;

export interface FreshShell {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
}

interface Starting {
  script: string;
  options: ProcessOptions;
  host: string;
}

/** Resolves when the text begins to run. @throws HOST_REPLY_INVALID HOST_COMMAND_TIMEOUT HOST_CALL_ABORTED */
export async function startInShell(shell: FreshShell, starting: Starting): Promise<void> {
  const { options, host } = starting;
  const context: ErrorContext = { host };
  const what = `${options.purpose} on ${host}`;
  const late = (): AppError => {
    const text = `${what}: the shell did not begin within ${START_DEADLINE_MS} ms`;
    return new AppError('HOST_COMMAND_TIMEOUT', text, { context });
  };
  try {
    await withSignal(
      withDeadline(converse(shell, starting), START_DEADLINE_MS, late),
      options.signal,
    );
  } catch (error) {
    if (!(error instanceof NoMark)) throw toAppError(error);
    const said = error.message === '' ? '' : `; it said: ${error.message}`;
    const text = `${what}: the shell ended before it began${said}`;
    throw new AppError('HOST_REPLY_INVALID', text, { context });
  }
}

async function converse(shell: FreshShell, { script, options }: Starting): Promise<void> {
  const nonce = randomBytes(16).toString('hex');
  const isTerminal = options.tty !== undefined;
  const start = isTerminal ? terminalStart(script, nonce) : plainStart(script, nonce);
  shell.stdin.write(start.first);
  if (start.between !== undefined) {
    await awaitMark(shell.stdout, start.between);
    shell.stdin.write(start.second);
  }
  const begun = [awaitMark(shell.stdout, start.begin)];
  if (!isTerminal) begun.push(awaitMark(shell.stderr, start.begin));
  await Promise.all(begun);
}
