/**
 * Asks a person: on a terminal with the echo off where a secret is wanted, else line by line from
 * stdin, for scripts. Questions go to stderr, so that stdout holds only the result.
 */
import { createInterface } from 'node:readline';
import type { Call } from './call.ts';
import { usage } from './call.ts';
import { escapeControls } from './output/text.ts';

export interface Asker {
  /** The answer, without its line end. @throws USAGE when stdin ends before */
  answer(prompt: string, options: { echo: boolean }): Promise<string>;
  close(): void;
}

const KEYS = { interrupt: '\u0003', end: '\u0004', clear: '\u0015' } as const;

/** Asks at the terminal when stdin is one. */
export function openAsker(call: Call, command: string): Asker {
  const ended = (): never =>
    usage(
      command,
      'stdin ended before all was answered; give one answer a line, or use a terminal',
    );
  const show = (prompt: string): Promise<void> => call.io.err.write(escapeControls(prompt));
  return process.stdin.isTTY === true ? fromTerminal(show, ended) : fromLines(show, ended);
}

type Show = (text: string) => Promise<void>;

function fromLines(show: Show, ended: () => never): Asker {
  const lines = createInterface({ input: process.stdin });
  const reader = lines[Symbol.asyncIterator]();
  return {
    async answer(prompt) {
      await show(`${prompt}\n`);
      const next = await reader.next();
      return next.done === true ? ended() : next.value;
    },
    close() {
      lines.close();
      process.stdin.destroy();
    },
  };
}

function fromTerminal(show: Show, ended: () => never): Asker {
  const { stdin } = process;
  stdin.setEncoding('utf8');
  return {
    async answer(prompt, { echo }) {
      // Before the question: a quick typist must not be shown either.
      stdin.setRawMode(!echo);
      try {
        await show(prompt);
        return (await readLine(stdin)) ?? ended();
      } finally {
        stdin.pause();
        stdin.setRawMode(false);
        // The line end that was typed was not shown.
        if (!echo) await show('\n');
      }
    },
    close() {
      stdin.setRawMode(false);
      stdin.destroy();
    },
  };
}

/** A line as it is typed; undefined when the terminal ends it. */
function readLine(stdin: NodeJS.ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let line = '';
    const settle = (value: string | undefined): void => {
      stdin.off('data', take);
      stdin.off('end', end);
      resolve(value);
    };
    const end = (): void => settle(undefined);
    const take = (chunk: string): void => {
      for (const char of chunk) {
        if (char === '\r' || char === '\n') return settle(line);
        const typed = edit(line, char);
        if (typed === undefined) return settle(undefined);
        line = typed;
      }
    };
    stdin.on('data', take);
    stdin.on('end', end);
    stdin.resume();
  });
}

/** In raw mode the terminal leaves the keys to us that otherwise edit a line or end a program. */
function edit(line: string, char: string): string | undefined {
  if (char === KEYS.interrupt) {
    process.stdin.setRawMode(false);
    process.kill(process.pid, 'SIGINT');
    return undefined;
  }
  if (char === KEYS.end) return line === '' ? undefined : line;
  if (char === KEYS.clear) return '';
  if (char === '\u007f' || char === '\b') return Array.from(line).slice(0, -1).join('');
  return char < ' ' ? line : line + char;
}
