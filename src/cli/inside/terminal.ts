/**
 * The user's terminal while it belongs to a command elsewhere: every byte typed is passed on, and the
 * terminal gets its own ways back whatever ends us.
 */
import type { ReadStream, WriteStream } from 'node:tty';

export interface TerminalSize {
  columns: number;
  rows: number;
}

const SIZE_DEFAULT: TerminalSize = { columns: 80, rows: 24 };

/** True when both what is typed and what is shown is a terminal. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** The size of the terminal; some tell none. */
export function terminalSize(): TerminalSize {
  const { columns, rows } = process.stdout as Partial<WriteStream>;
  const isUsable = (columns ?? 0) > 0 && (rows ?? 0) > 0;
  return isUsable ? { columns: columns as number, rows: rows as number } : SIZE_DEFAULT;
}

/** Calls back on every change of the size, until the returned function is called. */
export function onResize(listener: (size: TerminalSize) => void): () => void {
  const tell = (): void => listener(terminalSize());
  process.stdout.on('resize', tell);
  return () => process.stdout.off('resize', tell);
}

/** Makes the terminal pass on every byte; the returned function gives it back, and may be called twice. */
export function takeTerminal(): () => void {
  if (process.stdin.isTTY !== true) return () => {};
  const stdin = process.stdin as ReadStream;
  stdin.setRawMode(true);
  const giveBack = (): void => {
    process.off('exit', giveBack);
    stdin.setRawMode(false);
  };
  // Also on an exception that nobody caught.
  process.once('exit', giveBack);
  return giveBack;
}
