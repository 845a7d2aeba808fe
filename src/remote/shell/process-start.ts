/**
 * How a process of its own begins in a fresh `/bin/sh`, where the script and the data share one stdin.
 * Some shells read ahead, so no data is sent before the shell has said that it has read the script;
 * what a login shell printed until then is noise and is dropped.
 */
import type { Readable } from 'node:stream';
import { quote } from '../../script/quote.ts';

/** What is written to the shell, each part once the mark before it was seen. */
export interface ProcessStart {
  first: string;
  /** On a terminal: awaited on stdout before `second` is written. */
  between?: string;
  second?: string;
  /** Awaited before any data is sent; without a terminal on both outputs. */
  begin: string;
}

/** Without a terminal. A text that is cut anywhere is a syntax error and runs nothing. */
export function plainStart(script: string, nonce: string): ProcessStart {
  const mark = `printf '%s begin\\n' ${nonce}`;
  return {
    first: `{ ${mark}; ${mark} >&2; eval ${quote(script)}; exit; }\n`,
    begin: `${nonce} begin\n`,
  };
}

/**
 * On a terminal the shell is interactive: it may echo, edit lines and complete words, and the
 * terminal cuts long lines. One short line makes the terminal transparent and puts a shell in place
 * that reads the rest by its length.
 */
export function terminalStart(script: string, nonce: string): ProcessStart {
  const second = `stty sane; printf '%s begin\\n' ${nonce}; eval ${quote(script)}`;
  const read = `eval "$(head -c ${Buffer.byteLength(second)})"`;
  return {
    first: ` stty raw -echo; printf '%s ready\\n' ${nonce}; exec /bin/sh -c ${quote(read)} towline\n`,
    between: `${nonce} ready\n`,
    second,
    begin: `${nonce} begin\r\n`,
  };
}

const NOISE_KEPT_BYTES = 512;

/** The stream ended, or said something else for too long, before the mark came. */
export class NoMark extends Error {}

/**
 * Reads the stream up to a mark and leaves what follows it unread.
 * @throws NoMark with the words that came instead
 */
export function awaitMark(stream: Readable, mark: string): Promise<void> {
  const wanted = Buffer.from(mark);
  let held = Buffer.alloc(0);
  let noise = '';
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      stream.off('readable', read);
      for (const name of ['end', 'close', 'error']) stream.off(name, ended);
      act();
    };
    const ended = (): void => settle(() => reject(new NoMark((noise + held.toString()).trim())));
    const read = (): void => {
      for (let chunk = nextOf(stream); chunk !== null; chunk = nextOf(stream)) {
        held = Buffer.concat([held, chunk]);
        const at = held.indexOf(wanted);
        if (at >= 0) {
          const rest = held.subarray(at + wanted.length);
          settle(() => {
            if (rest.length > 0) stream.unshift(rest);
            resolve();
          });
          return;
        }
        const keep = Math.max(0, held.length - wanted.length + 1);
        if (noise.length < NOISE_KEPT_BYTES)
          noise += held.toString('utf8', 0, Math.min(keep, NOISE_KEPT_BYTES));
        held = held.subarray(keep);
      }
    };
    stream.on('readable', read);
    for (const name of ['end', 'close', 'error']) stream.on(name, ended);
  });
}

function nextOf(stream: Readable): Buffer | null {
  return stream.read() as Buffer | null;
}
