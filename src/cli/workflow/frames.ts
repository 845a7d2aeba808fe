/** Lines at the end of a terminal that are drawn anew in place. The cursor is hidden meanwhile, and given back. */
import { stripVTControlCharacters } from 'node:util';
import { columnsOf } from '../../domain/columns.ts';
import type { Sink } from '../io.ts';

export interface Frames {
  draw(lines: readonly string[]): Promise<void>;
  /** What is shown stays; the next frame begins below it. */
  leave(): void;
  /** As leave; nothing is drawn any more. */
  close(): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[J';

export function createFrames(sink: Sink): Frames {
  let shown: readonly number[] = [];
  let isHidden = false;
  let isClosed = false;
  const giveBack = (): void => {
    if (isHidden) void sink.write(SHOW_CURSOR).catch(() => {});
    isHidden = false;
    shown = [];
  };
  // also on an exception that nobody caught
  process.once('exit', giveBack);
  return {
    draw(lines) {
      if (isClosed) return Promise.resolve();
      const up = rowsOf(shown, sink.columns);
      const hide = isHidden ? '' : HIDE_CURSOR;
      isHidden = true;
      shown = lines.map((line) => columnsOf(stripVTControlCharacters(line)));
      const back = up === 0 ? '\r' : `\u001b[${up}A\r`;
      return sink.write(`${hide}${back}${CLEAR_BELOW}${lines.map((line) => `${line}\n`).join('')}`);
    },
    leave: giveBack,
    close() {
      process.off('exit', giveBack);
      giveBack();
      isClosed = true;
    },
  };
}

/** How many rows of the screen lines take: a window that was made narrower has broken them. */
export function rowsOf(lines: readonly number[], columns: number): number {
  return lines.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
}
